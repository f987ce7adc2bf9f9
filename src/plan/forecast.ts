import type { Deployment, Verdict } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import type { Forecast, ForecastStep } from '../model/forecast.ts';
import type { HookName } from '../model/hook.ts';
import type { Instance } from '../model/instance.ts';
import type { Step } from '../model/step.ts';
import { planEnvironment } from './environment.ts';
import { ForecastFleet } from './forecast-fleet.ts';
import type { Observation, ObservedHook, ReleaseNeeds } from './observation.ts';
import type { AssumedPace } from './pace.ts';

/**
 * What a deployment would do, told by the planner itself on a copy of the environment that exists
 * only as data: every instance boots, drains and stops in the time that earlier ones took, every
 * hook passes, and nothing goes wrong.
 */
export interface ForecastInput {
  /** With the capacity it will have. */
  environment: Environment;
  /** As it would start. */
  deployment: Deployment;
  releases: ReadonlyMap<number, ReleaseNeeds>;
  /** Live ones. */
  instances: readonly Instance[];
  pace: AssumedPace;
  requestsPerSecond: number;
}

/** A plan that wants more is not told to its end. */
const MOST_ROUNDS = 20_000;
/** The loop looks again at least so often; a share of traffic is judged when it does. */
const LOOK_MS = 1_000;

export function forecastDeployment(input: ForecastInput): Forecast {
  const course = new Course(input);
  for (let round = 0; round < MOST_ROUNDS && course.verdict === null; round += 1) course.goOn();
  const { verdict, deployment, steps, elapsedMs } = course;
  const cause = verdict === 'succeeded' ? null : deployment.cause;
  return { steps, verdict, cause, totalMs: elapsedMs };
}

class Course {
  deployment: Deployment;
  verdict: Verdict | null = null;
  readonly steps: ForecastStep[] = [];
  readonly #input: ForecastInput;
  readonly #fleet: ForecastFleet;
  #environment: Environment;
  #now: number;
  #built = false;
  #made = 0;

  constructor(input: ForecastInput) {
    this.#input = input;
    this.deployment = input.deployment;
    this.#environment = input.environment;
    this.#now = input.deployment.startedAt;
    this.#fleet = new ForecastFleet(input.instances, input.pace);
  }

  get elapsedMs(): number {
    return this.#now - this.#input.deployment.startedAt;
  }

  /** Plans, and performs what is planned; where there is nothing to do, lets time pass. */
  goOn(): void {
    const plan = planEnvironment(this.#observe(), this.#now, () => {
      this.#made += 1;
      return `new-${this.#made}`;
    });
    const steps = plan.steps.filter((step) => !this.#fleet.isUnderWay(step));
    for (const step of steps) {
      this.steps.push({ atMs: this.elapsedMs, step });
      this.#perform(step);
    }
    if (steps.length > 0) this.#fleet.publish();
    else this.#wait(plan.wakeAt);
  }

  #observe(): Observation {
    const { releases, requestsPerSecond } = this.#input;
    return {
      environment: this.#environment,
      deployment: this.deployment,
      hooks: this.deployment.hooks.map((run) => this.#observedHook(run)),
      releases,
      instances: this.#fleet.observed(this.#now),
      fixed: this.#fixed(),
      acknowledgedSnapshot: this.#fleet.snapshot,
      traffic: this.#fleet.traffic(requestsPerSecond),
      failures: [],
    };
  }

  #wait(wakeAt: number | null): void {
    const moments = [wakeAt, this.#fleet.nextChange(this.#now), this.#nextHookEnd()];
    const { stage, rollout } = this.deployment;
    if (stage !== null) {
      // Long waits are told more coarsely: nobody reads them by the second.
      moments.push(this.#now + Math.max(LOOK_MS, (rollout.bakeMs + rollout.patienceMs) / 200));
    }
    const next = Math.min(...moments.map((moment) => moment ?? Number.POSITIVE_INFINITY));
    const until = Number.isFinite(next) ? next : this.#now + LOOK_MS;
    this.#fleet.serve(until - this.#now, stage, this.deployment);
    this.#now = until;
  }

  #nextHookEnd(): number | null {
    const run = this.deployment.hooks.find(({ state }) => state === 'running');
    if (!run) return null;
    const end = (run.startedAt ?? this.#now) + (this.#input.pace.hookMs[run.hook] ?? 0);
    return end > this.#now ? end : null;
  }

  #observedHook(run: Deployment['hooks'][number]): ObservedHook {
    const image = run.hook === 'build' ? (this.#built ? 'there' : 'missing') : null;
    if (run.state !== 'running') return { ...run, slot: null, image };
    const end = (run.startedAt ?? 0) + (this.#input.pace.hookMs[run.hook] ?? 0);
    const exit = { code: 0, signal: null, cause: 'exited with code 0', at: end };
    const ended = this.#now >= end;
    return { ...run, slot: { running: !ended, exit: ended ? exit : null }, image };
  }

  /** What is not ours to start is taken to be there. */
  #fixed(): Observation['fixed'] {
    const goal = this.#input.releases.get(this.deployment.to);
    if (!goal?.upstream) return null;
    const since = this.#input.deployment.startedAt;
    const idle = { inFlight: 0, tunnels: 0, ejection: null, deep: null };
    return { health: 'healthy', description: '', since, ...idle };
  }

  #perform(step: Step): void {
    switch (step.kind) {
      case 'shift':
        this.deployment = {
          ...this.deployment,
          stage: { percent: step.percent, since: this.#now },
        };
        return;
      case 'turn-back':
        this.#environment = { ...this.#environment, capacity: this.deployment.capacityBefore };
        this.deployment = {
          ...this.deployment,
          state: 'rolling-back',
          cause: step.reason,
          turnedAt: this.#now,
        };
        return;
      case 'settle':
        this.verdict = step.verdict;
        return;
      case 'run-hook':
        this.#moveHook(step.hook, { state: 'running', startedAt: this.#now });
        return;
      case 'keep-image':
        this.#built = true;
        return;
      case 'end-hook':
        this.#moveHook(step.hook, { state: step.outcome, endedAt: this.#now });
        return;
      case 'terminated':
        return;
      default:
        this.#fleet.perform(step, this.#environment.key, this.#now);
    }
  }

  #moveHook(hook: HookName, change: Partial<Deployment['hooks'][number]>): void {
    const hooks = this.deployment.hooks.map((run) =>
      run.hook === hook ? { ...run, ...change } : run,
    );
    this.deployment = { ...this.deployment, hooks };
  }
}
