import type { NewEvent } from '../model/event.ts';
import { partSentence, type TargetStatus } from '../model/target.ts';

/**
 * What is worth an event in what the edge says of its targets, beyond their health: a dependency of
 * an environment that begins to fail or is well again, however many instances say so, and an
 * instance that is left out or taken back.
 */
export class TargetNews {
  /** By environment: what fails, by name, and the sentence that was told. */
  #failing = new Map<string, Map<string, string>>();
  /** By environment: the instances that are left out. */
  #leftOut = new Map<string, Set<string>>();

  /** Takes note of all targets; what has changed since it last did. */
  changes(targets: Iterable<TargetStatus>): NewEvent[] {
    const events: NewEvent[] = [];
    const before = { failing: this.#failing, leftOut: this.#leftOut };
    this.#failing = new Map();
    this.#leftOut = new Map();
    for (const [environment, members] of byEnvironment(targets)) {
      const failed = before.failing.get(environment) ?? new Map();
      const failing = failingIn(members, failed);
      this.#failing.set(environment, failing);
      events.push(...dependencyEvents(environment, failed, failing));
      const wasOut = before.leftOut.get(environment) ?? new Set();
      events.push(...leftOutEvents(environment, wasOut, members));
      const leftOut = members.filter(({ ejection }) => ejection !== null);
      this.#leftOut.set(environment, new Set(leftOut.map(({ id }) => id)));
    }
    return events;
  }
}

function byEnvironment(targets: Iterable<TargetStatus>): Map<string, TargetStatus[]> {
  const environments = new Map<string, TargetStatus[]>();
  for (const target of targets) {
    const environment = target.pool.slice(0, target.pool.lastIndexOf('#'));
    const members = environments.get(environment) ?? [];
    members.push(target);
    environments.set(environment, members);
  }
  return environments;
}

/** What failed goes on failing until somebody who was asked says otherwise. */
function failingIn(
  members: readonly TargetStatus[],
  before: ReadonlyMap<string, string>,
): Map<string, string> {
  const reports = members.flatMap(({ id, deep }) => (deep ? [{ id, deep }] : []));
  if (reports.length === 0) return new Map(before);
  const failing = new Map<string, string>();
  for (const { id, deep } of reports) {
    if (deep.passed) continue;
    const parts = deep.parts.filter(({ passed }) => !passed);
    if (parts.length === 0) failing.set('', `${id}: ${deep.description}`);
    for (const part of parts) {
      if (!failing.has(part.name)) failing.set(part.name, `${partSentence(part)} (${id})`);
    }
  }
  return failing;
}

function dependencyEvents(
  environment: string,
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): NewEvent[] {
  const begun = [...now].filter(([name]) => !before.has(name));
  const ended = [...before.keys()].filter((name) => !now.has(name));
  return [
    ...begun.map(([, message]): NewEvent => {
      return { severity: 'warning', type: 'dependency-failing', environment, message };
    }),
    ...ended.map((name): NewEvent => {
      const message = `${name === '' ? 'the deep check' : name} is well again`;
      return { severity: 'info', type: 'dependency-recovered', environment, message };
    }),
  ];
}

function leftOutEvents(
  environment: string,
  before: ReadonlySet<string>,
  members: readonly TargetStatus[],
): NewEvent[] {
  return members.flatMap(({ id, ejection }): NewEvent[] => {
    if (before.has(id) === (ejection !== null)) return [];
    const about = { environment, instance: id };
    if (ejection === null) {
      const message = `${id} is not left out any more`;
      return [{ severity: 'info', type: 'instance-taken-back', message, ...about }];
    }
    const message = `${id} gets no requests for a while: ${ejection}`;
    return [{ severity: 'warning', type: 'instance-left-out', message, ...about }];
  });
}
