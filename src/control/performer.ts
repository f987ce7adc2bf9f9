import type { BundleStore, ImageStore } from '../bundle/driver.ts';
import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import type { Environment, EnvironmentKey } from '../model/environment.ts';
import { failedHook } from '../model/hook.ts';
import type { LedgerReading } from '../model/ledger.ts';
import type { Step } from '../model/step.ts';
import type { Runtime } from '../runtime/driver.ts';
import type { Store } from '../store/driver.ts';
import { DeploymentSteps } from './deployment-steps.ts';
import type { EventFeed } from './event-feed.ts';
import { HookSteps } from './hook-steps.ts';
import { InstanceSteps } from './instance-steps.ts';
import type { Slots } from './observe.ts';
import type { Prepared } from './prepared.ts';
import type { Records } from './records.ts';

/** How many of an instance's last log lines a failed deployment keeps. */
const LOG_TAIL_LINES = 50;

/** Called at every point where a crash could fall between two writes; drills put one there. */
export type Boundary = (point: string) => void;

export interface PerformerParts {
  records: Records;
  store: Store;
  runtime: Runtime;
  edge: EdgeDriver;
  bundles: BundleStore;
  images: ImageStore;
  feed: EventFeed;
  clock: Clock;
  log: Log;
  boundary: Boundary;
  /** Something that was waited for in the background has happened. */
  wake: (environment: string) => void;
}

/**
 * Performs steps: each is written to the journal together with what it changes on record, then
 * done, then closed. Every step may be performed again after a crash.
 */
export class Performer {
  readonly #parts: PerformerParts;
  readonly #instances: InstanceSteps;
  readonly #deployments: DeploymentSteps;
  readonly #hooks: HookSteps;
  /** Instances being stopped now, in the background. */
  readonly #stopping = new Map<string, Promise<void>>();

  constructor(parts: PerformerParts) {
    this.#parts = parts;
    this.#instances = new InstanceSteps(parts);
    this.#deployments = new DeploymentSteps(parts);
    this.#hooks = new HookSteps(parts);
  }

  /** Whether the step, or the one it follows, is already under way in the background. */
  isUnderWay(step: Step): boolean {
    const follows = step.kind === 'terminate' || step.kind === 'bury';
    return follows && this.#stopping.has(step.instance);
  }

  async perform(key: EnvironmentKey, step: Step, slots: Slots): Promise<void> {
    const { store, records, clock, boundary, log } = this.#parts;
    const before = await this.#lookAround(key, step);
    boundary(`before ${step.kind}`);
    const [entry, prepared] = records.transaction(() => {
      const deployment = records.runningDeployment(key)?.number ?? null;
      const id = store.planStep(key, deployment, step, clock.now());
      const prepared = this.#prepare(records.environment(key), step, slots, before);
      if (!prepared.effect) store.endStep(id, 'done', clock.now(), null);
      return [id, prepared] as const;
    });
    boundary(`planned ${step.kind}`);
    log.debug({ environment: key, step }, 'step');
    if (!prepared.effect) return;
    const done = this.#finish(entry, key, step, prepared.effect);
    if (!prepared.background) return await done;
    if ('instance' in step && step.instance) this.#keepStopping(step.instance, done, key);
  }

  #keepStopping(instance: string, done: Promise<void>, key: string): void {
    const settled = done
      .catch((fault) => {
        // It could not even be written down; the next plan asks for it again.
        this.#parts.log.error({ instance, fault: messageOf(fault) }, 'stop not recorded');
      })
      .finally(() => {
        this.#stopping.delete(instance);
        this.#parts.wake(key);
      });
    this.#stopping.set(instance, settled);
  }

  async #finish(
    entry: number,
    key: string,
    step: Step,
    effect: () => Promise<void>,
  ): Promise<void> {
    const { store, clock, boundary, log } = this.#parts;
    try {
      await effect();
      boundary(`done ${step.kind}`);
      store.endStep(entry, 'done', clock.now(), null);
    } catch (fault) {
      store.endStep(entry, 'failed', clock.now(), messageOf(fault));
      log.error({ environment: key, step, fault: messageOf(fault) }, 'step failed');
    }
    boundary(`closed ${step.kind}`);
  }

  /** What must be read before a step can be written down. */
  async #lookAround(key: EnvironmentKey, step: Step): Promise<Surroundings> {
    if (step.kind === 'turn-back') {
      const guilty = step.instance ?? this.#failedHook(key);
      return { logTail: guilty ? await this.#logTail(guilty) : [], ledger: null };
    }
    if (step.kind === 'settle') return { logTail: [], ledger: await this.#readLedger(key) };
    return { logTail: [], ledger: null };
  }

  /** Where no instance is to blame, one of the hooks may be. */
  #failedHook(key: EnvironmentKey): string | null {
    const deployment = this.#parts.records.runningDeployment(key);
    return (deployment && failedHook(deployment)?.id) ?? null;
  }

  async #logTail(instance: string): Promise<string[]> {
    try {
      return await this.#parts.runtime.logs(instance, { tail: LOG_TAIL_LINES });
    } catch (fault) {
      return [`(its log could not be read: ${messageOf(fault)})`];
    }
  }

  async #readLedger(key: EnvironmentKey): Promise<LedgerReading | null> {
    try {
      return await this.#parts.edge.ledger();
    } catch (fault) {
      this.#parts.log.warn({ environment: key, fault: messageOf(fault) }, 'no ledger to read');
      return null;
    }
  }

  #prepare(environment: Environment, step: Step, slots: Slots, before: Surroundings): Prepared {
    switch (step.kind) {
      case 'launch':
        return this.#instances.launch(environment, step);
      case 'warm':
        return this.#instances.warm(environment, step);
      case 'wait':
        return this.#instances.wait(environment, step);
      case 'admit':
        return this.#instances.admit(environment, step);
      case 'retire':
        return this.#instances.retire(environment, step);
      case 'hold':
        return this.#instances.hold(environment, step);
      case 'terminate':
        return this.#instances.terminate(environment, step);
      case 'bury':
        return this.#instances.bury(environment, step, slots.get(step.instance)?.exit ?? null);
      case 'shift':
        return this.#deployments.shift(environment, step);
      case 'run-hook':
        return this.#hooks.run(environment, step);
      case 'keep-image':
        return this.#hooks.keepImage(environment, step);
      case 'end-hook':
        return this.#hooks.end(environment, step);
      case 'turn-back':
        return this.#deployments.turnBack(environment, step, before.logTail);
      case 'settle':
        return this.#deployments.settle(environment, step, before.ledger, slots);
      case 'terminated':
        return this.#deployments.terminated(environment);
    }
  }
}

interface Surroundings {
  logTail: string[];
  ledger: LedgerReading | null;
}
