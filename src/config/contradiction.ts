import type { Configuration, Hooks } from '../model/configuration.ts';
import type { Traffic } from '../model/traffic.ts';
import { formatDuration } from './duration.ts';
import type { Complaint } from './reader.ts';

/** What is wrong between values; the first of them is the one to name. */
export interface Contradiction extends Omit<Complaint, 'keyPath'> {
  keyPaths: [string, ...string[]];
}

/**
 * What cannot be right about values together, each of which is right by itself.
 *
 * @param written whether one place names both `start` and `upstream`, whether any names `burst`, and
 *   what any says of the cache where none names `cache`
 */
export function contradictions(
  web: Configuration['web'],
  hooks: Hooks,
  { admission }: Traffic,
  written: { startAndUpstream: boolean; burst: boolean; withoutCache: string | null },
): Contradiction[] {
  const { min, desired, max } = web.capacity;
  const { timeoutMs, intervalMs } = web.health;
  const found: Contradiction[] = [];
  const complain = (keyPaths: [string, ...string[]], what: string, hint: string) =>
    found.push({ keyPaths, what, hint });

  if (min > max) {
    complain(
      ['web.capacity.min', 'web.capacity.max'],
      `is ${min}, more than max, which is ${max}`,
      'lower min or raise max',
    );
  } else if (desired < min || desired > max) {
    complain(
      ['web.capacity.desired', 'web.capacity.min', 'web.capacity.max'],
      `is ${desired}, outside min and max, which are ${min} and ${max}`,
      `write a number from ${min} to ${max}, or leave it out for ${min}`,
    );
  }
  if (timeoutMs > intervalMs) {
    complain(
      ['web.health.timeout', 'web.health.interval'],
      `is ${formatDuration(timeoutMs)}, more than interval, which is ${formatDuration(intervalMs)}`,
      'lower timeout or raise interval',
    );
  }
  if (written.startAndUpstream) {
    complain(
      ['web.upstream', 'web.start'],
      'is set beside start, and an app either is started by Belay or is not',
      'leave out one of them',
    );
  }
  const [hook] = [
    hooks.build && 'build',
    hooks.migrate && 'hooks.migrate',
    hooks.postdeploy && 'hooks.postdeploy',
    web.bootstrap && 'hooks.bootstrap',
  ].filter((keyPath) => keyPath !== null);
  if (hook !== undefined && web.upstream !== null) {
    const what = 'is set beside upstream, whose code is elsewhere';
    complain([hook, 'web.upstream'], what, 'leave out one of them');
  }
  if (web.group.idleMs !== null && min > 0) {
    complain(
      ['web.capacity.idle', 'web.capacity.min'],
      `is set beside min, which is ${min}, so that something always runs`,
      'write min: 0, or leave out idle',
    );
  }
  const { policies } = web.scaling;
  const learnable = policies.some((policy) => policy.kind === 'track' && policy.metric !== 'p99');
  if (policies.some(({ kind }) => kind === 'predict') && !learnable) {
    complain(
      ['web.scaling.policies'],
      'has predict() without anything that is tracked, whose day and week it could learn',
      'add track.requestsPerInstance(600), say',
    );
  }
  if (written.burst && admission.perClient === null) {
    complain(
      ['edge.limits.burst', 'edge.limits.requestsPerSecond'],
      'is set without requestsPerSecond, and so bounds nothing',
      'write requestsPerSecond too, or leave it out',
    );
  }
  if (written.withoutCache !== null) {
    complain(
      [`edge.${written.withoutCache}`, 'edge.cache'],
      'is set without cache, and nothing is kept',
      'write cache: true too, say, or leave it out',
    );
  }
  return found;
}
