import { quantile, type SparseHistogram, subtract, sum } from '../kernel/histogram.ts';
import type { EnvironmentHealth } from '../model/environment.ts';
import { answersOf, ledgerDifference, outcomes } from '../model/ledger.ts';
import type {
  EnvironmentView,
  InstanceView,
  TargetReading,
  TrafficReading,
} from '../model/view.ts';

/** What passes: the difference of two readings. Pure. */

export interface InstanceRates {
  id: string;
  zone: string;
  release: number | null;
  version: string | null;
  state: string;
  health: string;
  /** Why the edge leaves it out for a while; null when it does not. */
  ejection: string | null;
  requestsPerSecond: number;
  /** Answers of 5xx, and requests that were lost or cut. */
  errorsPerSecond: number;
  p50Ms: number | null;
  p99Ms: number | null;
  inFlight: number;
  cpuPercent: number | null;
  rssBytes: number | null;
}

export interface EnvironmentRates {
  application: string;
  environment: string;
  health: EnvironmentHealth;
  cause: string;
  requestsPerSecond: number;
  /** Answers of 5xx, the app's and the edge's own. */
  errorsPerSecond: number;
  p50Ms: number | null;
  p99Ms: number | null;
  /** In the window. */
  lost: number;
  shed: number;
  inFlight: number;
  instances: InstanceRates[];
}

export interface Rates {
  at: number;
  windowMs: number;
  workers: number;
  snapshot: number;
  /** Connections that were not let in, in the window. */
  turnedAway: number;
  environments: EnvironmentRates[];
}

export function ratesBetween(earlier: TrafficReading, later: TrafficReading): Rates {
  const windowMs = Math.max(1, later.at - earlier.at);
  const before = new Map(earlier.targets.map((target) => [keyOf(target), target]));
  return {
    at: later.at,
    windowMs,
    workers: later.edge.workers.filter(({ accepting }) => accepting).length,
    snapshot: later.edge.snapshot,
    turnedAway: grown((later.ledger.turnedAway ?? 0) - (earlier.ledger.turnedAway ?? 0)),
    environments: later.environments.map((view) => {
      const key = `${view.application}/${view.environment}`;
      const targets = later.targets
        .filter(({ pool }) => pool.slice(0, pool.lastIndexOf('#')) === key)
        .map((target) => passedSince(before.get(keyOf(target)), target));
      return environmentRates(view, targets, earlier, later, windowMs);
    }),
  };
}

function environmentRates(
  view: EnvironmentView,
  targets: readonly TargetReading[],
  earlier: TrafficReading,
  later: TrafficReading,
  windowMs: number,
): EnvironmentRates {
  const { application, environment, health, cause } = view;
  const key = `${application}/${environment}`;
  const passed = ledgerDifference(earlier.ledger, later.ledger, key);
  const requests = outcomes.reduce((total, outcome) => total + grown(passed.outcomes[outcome]), 0);
  return {
    application,
    environment,
    health,
    cause,
    requestsPerSecond: perSecond(requests, windowMs),
    errorsPerSecond: perSecond(grown(answersOf(passed, '5xx')), windowMs),
    ...latencyOf(passed.latency),
    lost: grown(passed.outcomes.lost),
    shed: grown(passed.outcomes.shed),
    inFlight: targets.reduce((total, { inFlight }) => total + inFlight, 0),
    instances: [
      ...view.instances.map((instance) => ({
        ...shownOf(instance),
        ...targetRates(
          targets.filter(({ id }) => id === instance.id),
          windowMs,
        ),
      })),
      ...targets
        .filter(({ id }) => !view.instances.some((instance) => instance.id === id))
        .map((target) => ({ ...fixedAddress(target), ...targetRates([target], windowMs) })),
    ],
  };
}

const shownOf = (instance: InstanceView) => ({
  id: instance.id,
  zone: instance.zone,
  release: instance.release,
  version: instance.version,
  state: instance.state,
  health: instance.health,
  ejection: instance.ejection,
  cpuPercent: instance.cpuPercent,
  rssBytes: instance.rssBytes,
});

/** What Belay did not start, and knows only by its traffic. */
const fixedAddress = ({ id, pool }: TargetReading) => ({
  id,
  zone: '',
  release: Number(pool.slice(pool.lastIndexOf('#') + 1)),
  version: null,
  state: 'in-service',
  health: '',
  ejection: null,
  cpuPercent: null,
  rssBytes: null,
});

function targetRates(targets: readonly TargetReading[], windowMs: number) {
  const total = (read: (target: TargetReading) => number) =>
    targets.reduce((sumSoFar, target) => sumSoFar + read(target), 0);
  return {
    requestsPerSecond: perSecond(
      total(({ requests }) => requests),
      windowMs,
    ),
    errorsPerSecond: perSecond(
      total(({ appErrors, failures }) => appErrors + failures),
      windowMs,
    ),
    ...latencyOf(targets.reduce<SparseHistogram>((all, { latency }) => sum(all, latency), [])),
    inFlight: total(({ inFlight }) => inFlight),
  };
}

/** A worker that died takes its last counts along: what went back has not grown. */
function passedSince(earlier: TargetReading | undefined, later: TargetReading): TargetReading {
  if (!earlier) return later;
  return {
    ...later,
    requests: grown(later.requests - earlier.requests),
    appErrors: grown(later.appErrors - earlier.appErrors),
    failures: grown(later.failures - earlier.failures),
    latency: subtract(later.latency, earlier.latency),
  };
}

const grown = (difference: number): number => Math.max(0, difference);

const perSecond = (count: number, windowMs: number): number =>
  Math.round((count * 10_000) / windowMs) / 10;

const latencyOf = (latency: SparseHistogram) => ({
  p50Ms: toMs(quantile(latency, 0.5)),
  p99Ms: toMs(quantile(latency, 0.99)),
});

const toMs = (us: number | null): number | null => (us === null ? null : Math.round(us / 10) / 100);

const keyOf = ({ pool, id }: TargetReading): string => `${pool} ${id}`;
