import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { environmentKey } from '../model/environment.ts';
import type { HookName } from '../model/hook.ts';
import type { LogQuery, Runtime } from '../runtime/driver.ts';
import type { Records } from './records.ts';

/** The logs of an environment's instances, live and lately ended, and of its hooks. */

/** How long the logs of an ended instance can be asked for by environment. */
const ENDED_SHOWN_MS = 15 * 60_000;

/** Deployments so far back may have run the hook that is asked for. */
const DEPLOYMENTS_READ = 1_000;

/** Whose logs: one instance's or all; or those of the hook's newest run. */
interface LogChoice {
  instance?: string | undefined;
  hook?: HookName | undefined;
}

export interface InstanceLog {
  /** Or the hook's run. */
  instance: string;
  release: number;
  lines: string[];
}

export class InstanceLogs {
  readonly #records: Records;
  readonly #runtime: Runtime;
  readonly #clock: Clock;

  constructor(parts: { records: Records; runtime: Runtime; clock: Clock }) {
    this.#records = parts.records;
    this.#runtime = parts.runtime;
    this.#clock = parts.clock;
  }

  async tail(
    application: string,
    name: string,
    { instance, hook }: LogChoice,
    query: LogQuery,
  ): Promise<InstanceLog[]> {
    const { key } = this.#records.environment(environmentKey(application, name));
    if (hook !== undefined) {
      const { id, release } = this.#newestRun(key, hook);
      return [{ instance: id, release, lines: await this.#runtime.logs(id, query) }];
    }
    const since = this.#clock.now() - ENDED_SHOWN_MS;
    const known = this.#records.instancesSince(key, since);
    const chosen = known.filter(({ id }) => instance === undefined || id === instance);
    if (instance !== undefined && chosen.length === 0) throw unknownInstance(key, instance);
    return await Promise.all(
      chosen.map(async ({ id, release }) => ({
        instance: id,
        release,
        lines: await this.#runtime.logs(id, query),
      })),
    );
  }

  /** Lines as they are written, of the instances that live now. */
  async *follow(
    application: string,
    name: string,
    { instance, hook }: LogChoice,
    signal: AbortSignal,
  ): AsyncIterable<{ instance: string; line: string }> {
    const { key } = this.#records.environment(environmentKey(application, name));
    const live = hook === undefined ? this.#records.instances(key) : [this.#newestRun(key, hook)];
    const chosen = live.filter(({ id }) => instance === undefined || id === instance);
    if (chosen.length === 0) throw unknownInstance(key, instance ?? 'any');
    const queue: { instance: string; line: string }[] = [];
    let wake: () => void = () => {};
    for (const { id } of chosen) {
      void (async () => {
        for await (const line of this.#runtime.follow(id, signal)) {
          queue.push({ instance: id, line });
          wake();
        }
      })();
    }
    signal.addEventListener('abort', () => wake(), { once: true });
    while (!signal.aborted) {
      yield* queue.splice(0);
      if (queue.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  #newestRun(key: string, hook: HookName): { id: string; release: number } {
    for (const { to, hooks } of this.#records.deployments(key, DEPLOYMENTS_READ)) {
      const run = hooks.find((each) => each.hook === hook && each.startedAt !== null);
      if (run) return { id: run.id, release: to };
    }
    throw noRun(key, hook);
  }
}

const noRun = (key: string, hook: HookName): Fault =>
  new Fault({
    code: 'hook-never-ran',
    message: `no deployment of ${key} has run ${hook}`,
    subject: hook,
    hint:
      hook === 'build'
        ? 'a version is built once: where it was deployed first, its log is'
        : `name a command for it in belay.config.ts, under hooks.${hook}`,
  });

const unknownInstance = (key: string, id: string): Fault =>
  new Fault({
    code: 'unknown-instance',
    message: `${key} has no instance ${id}, and had none in the last 15 minutes`,
    subject: id,
    hint: 'see them with: belay status',
  });
