import type { Deployment, DeploymentStage } from '../model/deployment.ts';
import { type Instance, instanceMachine } from '../model/instance.ts';
import { poolId } from '../model/snapshot.ts';
import type { Step } from '../model/step.ts';
import type { TargetTraffic } from '../model/target.ts';
import type { ObservedInstance, ObservedTarget } from './observation.ts';
import type { AssumedPace } from './pace.ts';

/** Instances as data, that do all they are told in the time it usually takes. */

/** A port that nobody asks for. */
const SOME_PORT = 20_000;

type InstanceStep = Extract<
  Step,
  { kind: 'launch' | 'warm' | 'wait' | 'admit' | 'retire' | 'hold' | 'terminate' | 'bury' }
>;

const instanceSteps: readonly string[] = [
  'launch',
  'warm',
  'wait',
  'admit',
  'retire',
  'hold',
  'terminate',
  'bury',
] satisfies InstanceStep['kind'][];

/** What is done to one instance, and so to be performed here. */
export const isInstanceStep = (step: Step): step is InstanceStep =>
  instanceSteps.includes(step.kind);

export class ForecastFleet {
  /** Every one is in force at once. */
  snapshot = 1;
  readonly #pace: AssumedPace;
  readonly #instances = new Map<string, Instance>();
  readonly #answered = new Map<string, number>();

  constructor(instances: readonly Instance[], pace: AssumedPace) {
    this.#pace = pace;
    for (const instance of instances) {
      const { unroutedBy } = instance;
      this.#instances.set(instance.id, {
        ...instance,
        unroutedBy: unroutedBy === null ? null : this.snapshot,
      });
    }
  }

  publish(): void {
    this.snapshot += 1;
  }

  /** Being stopped, and asked to be stopped again. */
  isUnderWay(step: Step): boolean {
    return step.kind === 'terminate' && this.#instances.get(step.instance)?.state === 'terminating';
  }

  observed(now: number): ObservedInstance[] {
    return [...this.#instances.values()].map((instance) => this.#observed(instance, now));
  }

  /** The next moment at which one of them has booted, drained or ended. */
  nextChange(now: number): number | null {
    const moments = [...this.#instances.values()]
      .map((instance) => this.#doneAt(instance))
      .filter((moment) => moment > now);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  /** Lets requests pass for so long, by the shares of the releases. */
  serve(elapsedMs: number, stage: DeploymentStage | null, { to }: Deployment): void {
    if (stage === null) return;
    const serving = [...this.#instances.values()].filter(({ state }) => state === 'in-service');
    const fresh = serving.filter(({ release }) => release === to);
    const old = serving.filter(({ release }) => release !== to);
    const add = (instances: readonly Instance[], share: number): void => {
      for (const { id } of instances) {
        const before = this.#answered.get(id) ?? 0;
        this.#answered.set(id, before + (elapsedMs * share) / 1000 / instances.length);
      }
    };
    add(fresh, stage.percent / 100);
    add(old, 1 - stage.percent / 100);
  }

  /** What each has answered, all of it well. */
  traffic(requestsPerSecond: number): TargetTraffic[] {
    return [...this.#instances.values()].map(({ id, environment, release }) => ({
      pool: poolId(environment, release),
      id,
      requests: Math.floor((this.#answered.get(id) ?? 0) * requestsPerSecond),
      appErrors: 0,
      failures: 0,
      latency: [],
    }));
  }

  perform(step: InstanceStep, environment: string, now: number): void {
    if (step.kind === 'launch') {
      this.#launch(step, environment, now);
      return;
    }
    const instance = this.#instances.get(step.instance);
    if (!instance) return;
    if (step.kind === 'bury') {
      this.#instances.delete(step.instance);
      return;
    }
    // Back in service, what was asked of it is done.
    const { wish, ...done } = instance;
    if (step.kind === 'wait') {
      // Somebody answers at once: how long they take is not ours to say.
      const wait = { turn: step.turn, since: now, heartbeatAt: now, answer: 'continue' } as const;
      this.#instances.set(step.instance, { ...instance, wait });
      return;
    }
    const to = (
      {
        warm: 'warmed',
        admit: 'in-service',
        retire: 'draining',
        hold: 'standby',
        terminate: 'terminating',
      } as const
    )[step.kind];
    this.#instances.set(step.instance, {
      ...(to === 'in-service' ? done : instance),
      state: instanceMachine.move(instance.id, instance.state, to),
      reason: step.reason,
      since: now,
      inServiceAt: to === 'in-service' ? (instance.inServiceAt ?? now) : instance.inServiceAt,
      unroutedBy: to === 'draining' ? this.snapshot + 1 : instance.unroutedBy,
    });
  }

  #launch(
    { instance, release, zone, reason, warm }: Extract<Step, { kind: 'launch' }>,
    environment: string,
    now: number,
  ): void {
    this.#instances.set(instance, {
      id: instance,
      environment,
      release,
      zone,
      state: 'pending',
      reason,
      createdAt: now,
      since: now,
      inServiceAt: null,
      unroutedBy: null,
      exit: null,
      ...(warm && { warming: true }),
    });
  }

  #doneAt({ state, createdAt, since }: Instance): number {
    const { bootMs, drainMs, stopMs } = this.#pace;
    if (state === 'pending') return createdAt + bootMs;
    if (state === 'draining') return since + drainMs;
    return state === 'terminating' ? since + stopMs : Number.NEGATIVE_INFINITY;
  }

  #observed(instance: Instance, now: number): ObservedInstance {
    const done = now >= this.#doneAt(instance);
    if (instance.state === 'terminating' && done) return { ...instance, slot: null, target: null };
    const listening = instance.state !== 'pending' || done;
    return {
      ...instance,
      slot: {
        running: true,
        listening,
        port: SOME_PORT,
        exit: null,
        bootstrapMs: null,
        isBootstrapping: false,
      },
      target: listening ? targetOf(instance, done) : null,
    };
  }
}

function targetOf({ state, since }: Instance, done: boolean): ObservedTarget {
  const draining = state === 'draining';
  return {
    health: draining ? 'draining' : 'healthy',
    description: '',
    since,
    inFlight: draining && !done ? 1 : 0,
    tunnels: 0,
    ejection: null,
    deep: null,
  };
}
