import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Fault } from '../kernel/fault.ts';
import { type Configuration, movesByWeight } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import type { HookName } from '../model/hook.ts';
import type { Release } from '../model/release.ts';
import type { ForecastView } from '../model/view.ts';
import { forecastDeployment } from '../plan/forecast.ts';
import type { ReleaseNeeds } from '../plan/observation.ts';
import type { AssumedPace } from '../plan/pace.ts';
import type { Circumstances } from '../plan/suitability.ts';
import { type CircumstanceParts, circumstancesOf, observedPace } from './circumstances.ts';
import { closedFault, gateFor } from './deployment-gate.ts';
import { DeploymentRequests, type Where } from './deployment-requests.ts';
import { DeploymentStart } from './deployment-start.ts';
import type { EventFeed } from './event-feed.ts';
import { needsOf } from './observe.ts';
import { busyFault } from './refusals.ts';
import { keptSize } from './resizing.ts';

/** What would come of a deploy, told by the planner on a copy of the environment. */

/** Where nothing has been started or stopped yet. */
const ASSUMED_MS = { boot: 1_000, drain: 50, stop: 50 } as const;

/** Its label is given when it is there; nothing asks for it before. */
const NEXT_VERSION = 'next';

export interface ForecastParts extends CircumstanceParts {
  edge: EdgeDriver;
  feed: EventFeed;
  clock: Clock;
}

export class Forecasts {
  readonly #parts: ForecastParts;
  readonly #starts: DeploymentStart;
  readonly #requests: DeploymentRequests;

  constructor(parts: ForecastParts) {
    this.#parts = parts;
    this.#starts = new DeploymentStart(parts);
    this.#requests = new DeploymentRequests({ ...parts, starts: this.#starts });
  }

  /** A deploy of this configuration, whatever its version. */
  async deploy(where: Where, configuration: Configuration): Promise<ForecastView> {
    const environment = this.#starts.environmentFor({ ...where, configuration });
    const circumstances = await circumstancesOf(environment.key, this.#parts);
    const release = this.#releaseOf(environment, configuration);
    const draft = this.#starts.draft(environment, 'deploy', release);
    const { pace, assumptions } = this.#paceFor(draft.deployment);
    const { requestsPerSecond } = circumstances;
    const judged = movesByWeight(configuration.rollout.policy) && draft.deployment.from !== null;
    if (judged && requestsPerSecond === null) {
      assumptions.push('how much is asked for is not measured yet: enough to judge by');
    }
    const { launching } = configuration.web.group;
    if (launching !== null)
      assumptions.push('what waits before it takes traffic is answered at once');
    const busy = busyFault(environment, this.#parts.records);
    const enough = configuration.rollout.minRequests * 100;
    const forecast = forecastDeployment({
      ...draft,
      releases: this.#releases(environment, release),
      instances: this.#parts.records.instances(environment.key),
      pace,
      requestsPerSecond: requestsPerSecond ?? enough,
    });
    return {
      policy: configuration.rollout.policy,
      forecast: busy ? null : forecast,
      hindrance: (busy ?? this.#closed(environment))?.toJSON() ?? null,
      concerns: this.#concerns(environment, release, circumstances),
      assumptions,
    };
  }

  #concerns(environment: Environment, release: Release, circumstances: Circumstances) {
    return this.#requests.concerns(environment, { kind: 'deploy' }, release, circumstances);
  }

  #closed(environment: Environment): Fault | null {
    const { records, clock } = this.#parts;
    const gate = gateFor(environment, 'deploy', records, clock.now());
    return gate.open ? null : closedFault(environment, gate);
  }

  #releaseOf({ key }: Environment, configuration: Configuration): Release {
    const { records, clock } = this.#parts;
    return {
      environment: key,
      number: this.#starts.nextReleaseNumber(key),
      version: configuration.web.upstream === null ? NEXT_VERSION : null,
      configuration,
      variables: records.releases(key)[0]?.variables ?? {},
      ...keptSize(records.releases(key)[0]),
      reason: 'deploy',
      message: null,
      createdAt: clock.now(),
    };
  }

  #releases({ key, release: current }: Environment, next: Release): Map<number, ReleaseNeeds> {
    const { records } = this.#parts;
    const numbers = new Set(records.instances(key).map(({ release }) => release));
    if (current !== null) numbers.add(current);
    const known = [...numbers].flatMap((number) => records.release(key, number) ?? []);
    return new Map([...known, next].map((release) => [release.number, needsOf(release)]));
  }

  #paceFor(deployment: Deployment): { pace: AssumedPace; assumptions: string[] } {
    const { bootMs, drainMs, stopMs } = observedPace(deployment.environment, this.#parts);
    const assumptions: string[] = [];
    if (bootMs === null) {
      assumptions.push('no instance was started here before: it takes 1 s to come up');
    }
    const hookMs: Partial<Record<HookName, number>> = {};
    for (const { hook } of deployment.hooks) {
      const tookMs = this.#hookMs(deployment, hook);
      if (tookMs === null) assumptions.push(`${hook} has not run before: it takes no time`);
      hookMs[hook] = tookMs ?? 0;
    }
    const pace = {
      bootMs: bootMs ?? ASSUMED_MS.boot,
      drainMs: drainMs ?? ASSUMED_MS.drain,
      stopMs: stopMs ?? ASSUMED_MS.stop,
      hookMs,
    };
    return { pace, assumptions };
  }

  /** How long it took the last time it passed. */
  #hookMs({ environment }: Deployment, hook: HookName): number | null {
    const runs = this.#parts.records
      .deployments(environment, 20)
      .flatMap(({ hooks }) => hooks.filter((run) => run.hook === hook && run.state === 'passed'));
    const [last] = runs;
    return last?.startedAt == null || last.endedAt === null ? null : last.endedAt - last.startedAt;
  }
}
