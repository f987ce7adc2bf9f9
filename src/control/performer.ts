import type { BundleStore } from '../bundle/driver.ts';
import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import { type Deployment, deploymentMachine, type Verdict } from '../model/deployment.ts';
import { type Environment, type EnvironmentKey, environmentMachine } from '../model/environment.ts';
import type { Exit, Instance } from '../model/instance.ts';
import type { LedgerReading } from '../model/ledger.ts';
import { type Receipt, receiptBetween } from '../model/receipt.ts';
import type { Release } from '../model/release.ts';
import type { Step } from '../model/step.ts';
import type { Runtime, SlotSpec } from '../runtime/driver.ts';
import type { Store } from '../store/driver.ts';
import type { EventFeed } from './event-feed.ts';
import type { Slots } from './observe.ts';
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
  feed: EventFeed;
  clock: Clock;
  log: Log;
  boundary: Boundary;
  /** Something that was waited for in the background has happened. */
  wake: (environment: string) => void;
}

interface Prepared {
  /** What to do once the step is written down; null when writing it down was all. */
  effect: (() => Promise<void>) | null;
  /** Go on with the plan without waiting for the effect. */
  background: boolean;
}

const recordOnly: Prepared = { effect: null, background: false };

/**
 * Performs steps: each is written to the journal together with what it changes on record, then
 * done, then closed. Every step may be performed again after a crash.
 */
export class Performer {
  readonly #parts: PerformerParts;
  /** Instances being stopped now, in the background. */
  readonly #stopping = new Map<string, Promise<void>>();

  constructor(parts: PerformerParts) {
    this.#parts = parts;
  }

  /** Whether the step, or the one it follows, is already under way in the background. */
  isUnderWay(step: Step): boolean {
    const follows = step.kind === 'terminate' || step.kind === 'bury';
    return follows && this.#stopping.has(step.instance);
  }

  /** Resolves when all that runs in the background has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#stopping.values());
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
    const settled = done.finally(() => {
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
    if (step.kind === 'turn-back' && step.instance) {
      return { logTail: await this.#logTail(step.instance), ledger: null };
    }
    if (step.kind === 'settle') return { logTail: [], ledger: await this.#readLedger(key) };
    return { logTail: [], ledger: null };
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
        return this.#launch(environment, step);
      case 'admit':
        return this.#admit(environment, step);
      case 'retire':
        return this.#retire(environment, step);
      case 'hold':
        return this.#hold(environment, step);
      case 'terminate':
        return this.#terminate(environment, step);
      case 'bury':
        return this.#bury(environment, step, slots.get(step.instance)?.exit ?? null);
      case 'turn-back':
        return this.#turnBack(environment, step, before.logTail);
      case 'settle':
        return this.#settle(environment, step, before.ledger);
      case 'terminated':
        return this.#terminated(environment);
    }
  }

  #launch(environment: Environment, step: Extract<Step, { kind: 'launch' }>): Prepared {
    const { records, runtime, clock, feed } = this.#parts;
    const { key } = environment;
    const now = clock.now();
    if (!records.instance(key, step.instance)) {
      records.addInstance({
        id: step.instance,
        environment: key,
        release: step.release,
        zone: step.zone,
        state: 'pending',
        reason: step.reason,
        createdAt: now,
        since: now,
        inServiceAt: null,
        unroutedBy: null,
        exit: null,
      });
      feed.publish({
        ...about(environment, records.runningDeployment(key), step.instance),
        severity: 'info',
        type: 'instance-launched',
        message: `${step.instance} starts in zone ${step.zone} with release ${step.release} (${step.reason})`,
      });
    }
    const effect = async () => {
      try {
        await runtime.ensure(this.#slotSpec(environment, step));
      } catch (fault) {
        this.#recordDeath(environment, step.instance, couldNotStart(fault, clock.now()));
        throw fault;
      }
    };
    return { effect, background: false };
  }

  #slotSpec(environment: Environment, step: Extract<Step, { kind: 'launch' }>): SlotSpec {
    const { records, bundles } = this.#parts;
    const release = records.release(environment.key, step.release);
    if (!release) throw new Error(`release ${step.release} is not on record`);
    const { web } = release.configuration;
    return {
      id: step.instance,
      application: environment.application,
      environment: environment.name,
      release: step.release,
      zone: step.zone,
      directory: directoryOf(environment, release, records, bundles),
      command: web.start ?? [],
      variables: variablesOf(release),
      limits: web.limits,
    };
  }

  #admit(environment: Environment, step: Extract<Step, { kind: 'admit' }>): Prepared {
    const instance = this.#instance(environment, step.instance);
    const now = this.#parts.clock.now();
    this.#parts.records.moveInstance(instance, 'in-service', now, {
      reason: step.reason,
      inServiceAt: instance.inServiceAt ?? now,
      unroutedBy: null,
    });
    const tookMs = now - instance.createdAt;
    const after = instance.state === 'pending' ? ` after ${(tookMs / 1000).toFixed(1)} s` : '';
    this.#tell(
      environment,
      instance.id,
      'instance-in-service',
      `${instance.id} is in service${after}`,
    );
    return recordOnly;
  }

  #retire(environment: Environment, step: Extract<Step, { kind: 'retire' }>): Prepared {
    const instance = this.#instance(environment, step.instance);
    this.#parts.records.moveInstance(instance, 'draining', this.#parts.clock.now(), {
      reason: step.reason,
      unroutedBy: null,
    });
    this.#tell(
      environment,
      instance.id,
      'instance-draining',
      `${instance.id} drains: ${step.reason}`,
    );
    return recordOnly;
  }

  #hold(environment: Environment, step: Extract<Step, { kind: 'hold' }>): Prepared {
    const instance = this.#instance(environment, step.instance);
    this.#parts.records.moveInstance(instance, 'standby', this.#parts.clock.now(), {
      reason: step.reason,
    });
    this.#tell(environment, instance.id, 'instance-standby', `${instance.id} is kept warm`);
    return recordOnly;
  }

  #terminate(environment: Environment, step: Extract<Step, { kind: 'terminate' }>): Prepared {
    const { records, runtime, clock } = this.#parts;
    const instance = this.#instance(environment, step.instance);
    const now = clock.now();
    if (instance.state !== 'terminating') {
      const overdue = instance.state === 'pending' && step.reason.startsWith('not healthy within');
      const exit: Exit | null = overdue
        ? { code: null, signal: null, cause: `was ${step.reason}`, at: now }
        : null;
      records.moveInstance(instance, 'terminating', now, { reason: step.reason, exit });
      this.#tell(
        environment,
        instance.id,
        'instance-stopping',
        `${instance.id} stops: ${step.reason}`,
      );
    }
    const graceMs =
      records.release(environment.key, instance.release)?.configuration.web.stopGraceMs ?? 10_000;
    return { effect: () => runtime.remove(instance.id, graceMs), background: true };
  }

  #bury(
    environment: Environment,
    step: Extract<Step, { kind: 'bury' }>,
    exit: Exit | null,
  ): Prepared {
    const { runtime, clock } = this.#parts;
    const instance = this.#instance(environment, step.instance);
    if (instance.state === 'terminating') {
      this.#parts.records.moveInstance(instance, 'terminated', clock.now(), {
        reason: instance.reason,
      });
      return recordOnly;
    }
    const wasStopping = instance.state === 'draining' || instance.state === 'standby';
    const cause = exit ?? { code: null, signal: null, cause: step.reason, at: clock.now() };
    this.#recordDeath(environment, instance.id, cause, wasStopping ? 'info' : 'error');
    return { effect: () => runtime.remove(instance.id, 0), background: false };
  }

  #recordDeath(
    environment: Environment,
    id: string,
    exit: Exit,
    severity: 'info' | 'error' = 'error',
  ): void {
    const { records, clock, feed } = this.#parts;
    const instance = records.instance(environment.key, id);
    if (!instance) return;
    records.moveInstance(instance, 'terminated', clock.now(), { reason: exit.cause, exit });
    feed.publish({
      ...about(environment, records.runningDeployment(environment.key), id),
      severity,
      type: 'instance-died',
      message: `${id} ${exit.cause}`,
    });
  }

  #turnBack(
    environment: Environment,
    step: Extract<Step, { kind: 'turn-back' }>,
    logTail: string[],
  ): Prepared {
    const { records, clock, feed } = this.#parts;
    const deployment = this.#deployment(environment);
    const state = deploymentMachine.move(nameOf(deployment), deployment.state, 'rolling-back');
    const cause = deployment.aborted ? 'aborted on request' : step.reason;
    records.saveDeployment({ ...deployment, state, cause, logTail, turnedAt: clock.now() });
    records.saveEnvironment({ ...environment, capacity: deployment.capacityBefore });
    const where =
      deployment.from === null
        ? 'there is no earlier release to go back to'
        : `going back to release ${deployment.from}`;
    feed.publish({
      ...about(environment, deployment, step.instance),
      severity: 'warning',
      type: 'deployment-turned-back',
      message: `${cause}; ${where}`,
    });
    return recordOnly;
  }

  #settle(
    environment: Environment,
    step: Extract<Step, { kind: 'settle' }>,
    ledger: LedgerReading | null,
  ): Prepared {
    const { records, clock } = this.#parts;
    const deployment = this.#deployment(environment);
    const receipt = receiptOf(deployment, ledger, environment.key);
    this.#endDeployment(environment, deployment, step.verdict, step.reason, receipt);
    const status = environmentMachine.allows(environment.status, 'ready')
      ? 'ready'
      : environment.status;
    const release = step.verdict === 'succeeded' ? deployment.to : environment.release;
    records.saveEnvironment({ ...environment, status, release });
    this.#parts.log.info(
      { environment: environment.key, at: clock.now(), verdict: step.verdict },
      'settled',
    );
    return recordOnly;
  }

  #endDeployment(
    environment: Environment,
    deployment: Deployment,
    verdict: Verdict,
    reason: string,
    receipt: Receipt | null,
  ): void {
    const { records, clock, feed } = this.#parts;
    const state = deploymentMachine.move(nameOf(deployment), deployment.state, verdict);
    const cause = verdict === 'succeeded' ? null : reason;
    // The reading at the start has served its purpose, and is large.
    records.saveDeployment({
      ...deployment,
      state,
      cause,
      receipt,
      endedAt: clock.now(),
      ledgerAtStart: null,
    });
    const lost = receipt ? `; ${receipt.requests} requests, ${receipt.lost} lost` : '';
    feed.publish({
      ...about(environment, deployment, null),
      severity: verdict === 'succeeded' ? 'info' : 'warning',
      type: `deployment-${verdict}`,
      message: `${deployment.kind} #${deployment.number} ${verdict}${cause === null ? '' : `: ${cause}`}${lost}`,
    });
  }

  #terminated(environment: Environment): Prepared {
    const { records } = this.#parts;
    const deployment = records.runningDeployment(environment.key);
    if (deployment) this.#endCutShort(environment, deployment);
    const status = environmentMachine.move(environment.key, environment.status, 'terminated');
    records.saveEnvironment({ ...environment, status, release: null });
    this.#tell(environment, null, 'environment-terminated', `${environment.key} is terminated`);
    return recordOnly;
  }

  /** The environment was terminated under a running deployment. */
  #endCutShort(environment: Environment, deployment: Deployment): void {
    const turned: Deployment =
      deployment.state === 'running' ? { ...deployment, state: 'rolling-back' } : deployment;
    this.#endDeployment(environment, turned, 'aborted', 'the environment was terminated', null);
  }

  #instance(environment: Environment, id: string): Instance {
    const instance = this.#parts.records.instance(environment.key, id);
    if (!instance) throw new Error(`instance ${id} is not on record`);
    return instance;
  }

  #deployment(environment: Environment): Deployment {
    const deployment = this.#parts.records.runningDeployment(environment.key);
    if (!deployment) throw new Error(`no deployment of ${environment.key} is running`);
    return deployment;
  }

  #tell(environment: Environment, instance: string | null, type: string, message: string): void {
    const deployment = this.#parts.records.runningDeployment(environment.key);
    this.#parts.feed.publish({
      ...about(environment, deployment, instance),
      severity: 'info',
      type,
      message,
    });
  }
}

interface Surroundings {
  logTail: string[];
  ledger: LedgerReading | null;
}

export function directoryOf(
  environment: Environment,
  release: Release,
  records: Records,
  bundles: BundleStore,
): string {
  const version = release.version && records.version(environment.application, release.version);
  if (!version) throw new Error(`version ${release.version} is not on record`);
  return bundles.directory(version.digest);
}

export const variablesOf = ({ configuration, variables, version }: Release) => ({
  ...configuration.web.variables,
  ...variables,
  BELAY_VERSION: version ?? '',
});

function receiptOf(
  deployment: Deployment,
  ledger: LedgerReading | null,
  environment: string,
): Receipt | null {
  if (!ledger || !deployment.ledgerAtStart) return null;
  return receiptBetween(deployment.ledgerAtStart, ledger, environment);
}

const couldNotStart = (fault: unknown, at: number): Exit => ({
  code: null,
  signal: null,
  cause: `could not be started: ${messageOf(fault)}`,
  at,
});

const nameOf = ({ environment, number }: Deployment): string => `${environment} #${number}`;

const about = (
  environment: Environment,
  deployment: Deployment | null,
  instance: string | null,
) => ({
  environment: environment.key,
  deployment: deployment?.number ?? null,
  instance,
});
