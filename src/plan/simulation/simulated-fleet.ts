import { NO_CACHE_PURGES } from '../../model/cache-purges.ts';
import type { Environment } from '../../model/environment.ts';
import { DEFAULT_GROUP } from '../../model/group.ts';
import type { Instance } from '../../model/instance.ts';
import { planEnvironment } from '../environment.ts';
import { ForecastFleet, isInstanceStep } from '../forecast-fleet.ts';
import type { Observation, ObservedInstance, ReleaseNeeds } from '../observation.ts';
import type { ScalingFleet } from '../scaling/scaling.ts';
import type { Setting } from './rule.ts';

/**
 * The instances of a simulation: kept by the planner itself, on a clock that is driven from outside.
 *
 * The planner is level-based and says when time alone would change its plan, so that it is asked
 * only when desired or an instance has changed and at the moments it named: between them it has
 * nothing to say. That is what makes a year of minutes a matter of seconds.
 */

const KEY = 'simulation/production';
const RELEASE = 1;
const ZONES = ['a', 'b'];
/** A plan that does not come to rest is a fault of the planner's. */
const MOST_ROUNDS = 10_000;

export class SimulatedFleet {
  /** How long each instance has lived, from its launch to its end, together. */
  instanceMs = 0;
  #now: number;
  #environment: Environment;
  #wakeAt: number | null = null;
  #live: readonly ObservedInstance[] = [];
  #made = 0;
  readonly #fleet: ForecastFleet;
  readonly #releases: ReadonlyMap<number, ReleaseNeeds>;

  /** Begins with so many that serve. */
  constructor({ bootMs, min, max }: Setting, now: number, serving: number) {
    this.#now = now;
    this.#environment = environmentWith({ min, max, desired: serving }, now);
    this.#releases = new Map([[RELEASE, releaseThatBootsIn(bootMs)]]);
    const instances = Array.from({ length: serving }, () => inService(this.#newId(), now));
    this.#fleet = new ForecastFleet(instances, { bootMs, drainMs: 0, stopMs: 0, hookMs: {} });
    this.#settle();
  }

  get desired(): number {
    return this.#environment.capacity.desired;
  }

  get serving(): number {
    return this.#live.filter(({ state }) => state === 'in-service').length;
  }

  /** As a scaling decision sees it. */
  get counts(): ScalingFleet {
    const { serving } = this;
    return {
      inService: serving,
      healthy: serving,
      starting: this.#live.filter(({ state }) => state === 'pending').length,
      isProtected: 0,
    };
  }

  want(desired: number): void {
    const { capacity } = this.#environment;
    if (desired === capacity.desired) return;
    this.#environment = { ...this.#environment, capacity: { ...capacity, desired } };
    this.#settle();
  }

  /** Lets time pass, with all that happens in it, what is due at its end included. */
  passUntil(until: number): void {
    while (this.#wakeAt !== null && this.#wakeAt <= until) {
      this.#moveTo(this.#wakeAt);
      this.#settle();
    }
    this.#moveTo(until);
  }

  #moveTo(moment: number): void {
    this.instanceMs += this.#live.length * (moment - this.#now);
    this.#now = moment;
  }

  /** Plans and performs until there is nothing left to do now. */
  #settle(): void {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const observation = this.#observe();
      const plan = planEnvironment(observation, this.#now, () => this.#newId());
      const steps = plan.steps.filter(isInstanceStep).filter((s) => !this.#fleet.isUnderWay(s));
      if (steps.length === 0) {
        this.#live = observation.instances;
        this.#wakeAt = earliest(plan.wakeAt, this.#fleet.nextChange(this.#now));
        return;
      }
      for (const step of steps) this.#fleet.perform(step, KEY, this.#now);
      this.#fleet.publish();
    }
    throw new Error(`the plan for ${this.desired} instances does not come to rest`);
  }

  #observe(): Observation {
    return {
      environment: this.#environment,
      deployment: null,
      hooks: [],
      releases: this.#releases,
      instances: this.#fleet.observed(this.#now),
      fixed: null,
      acknowledgedSnapshot: this.#fleet.snapshot,
      traffic: [],
      failures: [],
    };
  }

  #newId(): string {
    this.#made += 1;
    return `i-${this.#made}`;
  }
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function environmentWith(capacity: Environment['capacity'], now: number): Environment {
  return {
    key: KEY,
    application: 'simulation',
    name: 'production',
    status: 'ready',
    release: RELEASE,
    capacity,
    names: null,
    createdAt: now,
    terminatedAt: null,
    cachePurges: NO_CACHE_PURGES,
  };
}

function releaseThatBootsIn(bootMs: number): ReleaseNeeds {
  return {
    number: RELEASE,
    zones: ZONES,
    drainMs: 0,
    upstream: false,
    rollout: {
      policy: 'rolling',
      batch: 1,
      extra: 1,
      healthyMs: 0,
      startTimeoutMs: 2 * bootMs + 60_000,
      keepMs: 0,
      percent: 10,
      bakeMs: 0,
      minRequests: 1,
      probes: [],
      patienceMs: 0,
    },
    group: DEFAULT_GROUP,
  };
}

function inService(id: string, now: number): Instance {
  return {
    id,
    environment: KEY,
    release: RELEASE,
    zone: ZONES[Number.parseInt(id.slice(2), 10) % ZONES.length] ?? 'a',
    state: 'in-service',
    reason: 'it is there at the beginning',
    createdAt: now,
    since: now,
    inServiceAt: now,
    unroutedBy: null,
    exit: null,
  };
}
