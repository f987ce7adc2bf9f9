import type { BundleStore, ImageStore } from '../bundle/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Environment } from '../model/environment.ts';
import type { Exit, Instance } from '../model/instance.ts';
import { limitsOf, variablesOf } from '../model/release.ts';
import type { Step } from '../model/step.ts';
import { backoffOf } from '../plan/backoff.ts';
import type { Runtime, SlotSpec } from '../runtime/driver.ts';
import type { EventFeed } from './event-feed.ts';
import { beginWait, settledWait, warmInstance } from './lifecycle-steps.ts';
import { type Prepared, recordOnly } from './prepared.ts';
import type { Records } from './records.ts';
import { directoryOf } from './release-slot.ts';
import { signingVariablesOf } from './token-keys.ts';

/** What each step of an instance changes on record, and does. */

type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

export interface InstanceStepParts {
  records: Records;
  runtime: Runtime;
  bundles: BundleStore;
  images: ImageStore;
  feed: EventFeed;
  clock: Clock;
}

export class InstanceSteps {
  readonly #parts: InstanceStepParts;

  constructor(parts: InstanceStepParts) {
    this.#parts = parts;
  }

  launch(environment: Environment, step: StepOf<'launch'>): Prepared {
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
        ...(step.warm && { warming: true }),
      });
      feed.publish({
        environment: key,
        deployment: records.runningDeployment(key)?.number ?? null,
        instance: step.instance,
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

  warm(environment: Environment, step: StepOf<'warm'>): Prepared {
    return warmInstance(environment, this.#instance(environment, step.instance), step, this.#parts);
  }

  wait(environment: Environment, step: StepOf<'wait'>): Prepared {
    return beginWait(environment, this.#instance(environment, step.instance), step, this.#parts);
  }

  admit(environment: Environment, step: StepOf<'admit'>): Prepared {
    // Back in service, what was asked of it is done.
    const { wish, ...instance } = this.#instance(environment, step.instance);
    const now = this.#parts.clock.now();
    this.#parts.records.moveInstance(instance, 'in-service', now, {
      reason: step.reason,
      inServiceAt: instance.inServiceAt ?? now,
      unroutedBy: null,
      ...settledWait(instance, 'continue'),
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

  retire(environment: Environment, step: StepOf<'retire'>): Prepared {
    const instance = this.#instance(environment, step.instance);
    const last = step.final && !instance.wish ? { wish: { kind: 'replace' } as const } : {};
    this.#parts.records.moveInstance(
      { ...instance, ...last },
      'draining',
      this.#parts.clock.now(),
      {
        reason: step.reason,
        unroutedBy: null,
      },
    );
    this.#tell(
      environment,
      instance.id,
      'instance-draining',
      `${instance.id} drains: ${step.reason}`,
    );
    return recordOnly;
  }

  hold(environment: Environment, step: StepOf<'hold'>): Prepared {
    const instance = this.#instance(environment, step.instance);
    this.#parts.records.moveInstance(instance, 'standby', this.#parts.clock.now(), {
      reason: step.reason,
    });
    const how = instance.wish?.kind === 'standby' ? 'is on standby' : 'is kept warm';
    this.#tell(environment, instance.id, 'instance-standby', `${instance.id} ${how}`);
    return recordOnly;
  }

  terminate(environment: Environment, step: StepOf<'terminate'>): Prepared {
    const { records, runtime, clock } = this.#parts;
    const instance = this.#instance(environment, step.instance);
    const now = clock.now();
    if (instance.state !== 'terminating') {
      const exit: Exit | null = step.failed
        ? { code: null, signal: null, cause: `was ${step.reason}`, at: now }
        : null;
      const settled = settledWait(instance, 'abandon');
      records.moveInstance(instance, 'terminating', now, {
        reason: step.reason,
        exit,
        ...settled,
      });
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

  bury(environment: Environment, step: StepOf<'bury'>, exit: Exit | null): Prepared {
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

  #slotSpec(environment: Environment, step: StepOf<'launch'>): SlotSpec {
    const release = this.#parts.records.release(environment.key, step.release);
    if (!release) throw new Error(`release ${step.release} is not on record`);
    const { web } = release.configuration;
    return {
      id: step.instance,
      application: environment.application,
      environment: environment.name,
      release: step.release,
      zone: step.zone,
      directory: directoryOf(environment, release, this.#parts),
      bootstrap: web.bootstrap,
      command: web.start ?? [],
      variables: { ...variablesOf(release), ...signingVariablesOf(release, this.#parts.records) },
      limits: limitsOf(release),
    };
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
      environment: environment.key,
      deployment: records.runningDeployment(environment.key)?.number ?? null,
      instance: id,
      severity,
      type: 'instance-died',
      message: `${id} ${exit.cause}`,
    });
    this.#tellCrashLoop(environment, instance.release);
  }

  /** Once for each crash loop, when it becomes one. */
  #tellCrashLoop(environment: Environment, release: number): void {
    const { records, clock, feed } = this.#parts;
    const failures = records.failures(environment.key);
    const backoff = backoffOf(failures, release, clock.now());
    const before = backoffOf(failures.slice(0, -1), release, clock.now());
    if (before.crashLooping || !backoff.crashLooping) return;
    feed.publish({
      environment: environment.key,
      severity: 'error',
      type: 'crash-looping',
      message: `release ${release} is crash-looping: ${backoff.failures} instances ended young, the last one ${backoff.lastCause}; the next tries come further and further apart`,
    });
  }

  #instance(environment: Environment, id: string): Instance {
    const instance = this.#parts.records.instance(environment.key, id);
    if (!instance) throw new Error(`instance ${id} is not on record`);
    return instance;
  }

  #tell(environment: Environment, instance: string, type: string, message: string): void {
    const { records, feed } = this.#parts;
    feed.publish({
      environment: environment.key,
      deployment: records.runningDeployment(environment.key)?.number ?? null,
      instance,
      severity: 'info',
      type,
      message,
    });
  }
}

const couldNotStart = (fault: unknown, at: number): Exit => ({
  code: null,
  signal: null,
  cause: `could not be started (${messageOf(fault)})`,
  at,
});
