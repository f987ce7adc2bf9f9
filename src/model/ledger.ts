import { type SparseHistogram, subtract, sum } from '../kernel/histogram.ts';
import type { CacheCounts } from './cache.ts';
import type { EnvironmentKey } from './environment.ts';

/**
 * The account of every request the edge accepted. Each ends in exactly one outcome; counters are
 * cumulative, and a receipt is a difference of two readings.
 *
 * ok              passed
 * app-error       the app's own 5xx
 * lost            we had to answer 502, 503 or 504 for want of a working target, or broke a
 *                 response that had begun, or closed an upgraded connection before its drain deadline
 * cut             inside an instance when it died, and not safe to send again
 * shed            refused by a limit or a full queue
 * fixed           answered by the edge itself: redirects, fixed answers, unknown hosts
 * cached          answered from the cache
 * refused         bad framing and other 4xx of ours
 * client-aborted  the client left first
 */
export const outcomes = [
  'ok',
  'app-error',
  'lost',
  'cut',
  'shed',
  'fixed',
  'cached',
  'refused',
  'client-aborted',
] as const;
export type Outcome = (typeof outcomes)[number];
export type OutcomeCounts = Record<Outcome, number>;

/** What a client was told at last; an interim answer is none. 1xx: the connection was upgraded. */
export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
export type StatusClass = (typeof statusClasses)[number];
/** Those that were answered at all, by outcome and class of status: `ok 2xx`, `lost 5xx`. */
export type AnswerCounts = Partial<Record<`${Outcome} ${StatusClass}`, number>>;

export interface LedgerRow {
  /** The pool's id; empty for requests that never reached one, or whose pool is long gone. */
  pool: string;
  /** Empty for requests that reached none, or whose environment is long gone. */
  environment: string;
  release: number | null;
  zone: string | null;
  outcomes: OutcomeCounts;
  answers: AnswerCounts;
  /** Attempts beyond the first. */
  retried: number;
  /** Requests and upgraded connections that ended on a target while it was draining. */
  drained: number;
  /**
   * Microseconds from the whole request head to the last byte of the response; without upgrades, and
   * without what the cache answered, which says nothing of the instances.
   */
  latency: SparseHistogram;
}

export interface LedgerReading {
  /** Milliseconds since the epoch. */
  at: number;
  rows: LedgerRow[];
  /** At most so many requests ended without an account, because a worker was killed. */
  unaccounted: number;
  /** Requests accepted and not yet ended. */
  inFlight: number;
  /** Upgraded connections open now. */
  tunnels: number;
  /**
   * Connections that were not let in, by the bounds on them: whatever they wanted to ask is no
   * request. Readings of earlier versions do not say.
   */
  turnedAway?: number;
  /** What caches have done, over all workers there ever were. Readings of earlier versions do not say. */
  cache?: Record<EnvironmentKey, CacheCounts>;
}

/** How many were answered with this class of status, whatever their outcome. */
export function answersOf({ answers }: Pick<LedgerRow, 'answers'>, answered: StatusClass): number {
  return outcomes.reduce((total, outcome) => total + (answers[`${outcome} ${answered}`] ?? 0), 0);
}

export const noOutcomes = (): OutcomeCounts => ({
  ok: 0,
  'app-error': 0,
  lost: 0,
  cut: 0,
  shed: 0,
  fixed: 0,
  cached: 0,
  refused: 0,
  'client-aborted': 0,
});

/** Where a request is counted. */
export type RowPlace = Pick<LedgerRow, 'pool' | 'environment' | 'release' | 'zone'>;

export const rowKey = (row: Pick<RowPlace, 'pool' | 'environment' | 'zone'>): string =>
  `${row.environment} ${row.pool}@${row.zone ?? ''}`;

/**
 * What is long gone from the routing state. Its counts go on, less finely told: those of a pool with
 * its environment, those of an environment with the requests that reached none. So rows do not grow
 * in number with every release, and every difference by environment stays exact.
 */
export interface Gone {
  pools: ReadonlySet<string>;
  environments: ReadonlySet<string>;
}

/** Where the counts of a place belong now; the same place if it is not gone. */
export function placeAfter(place: RowPlace, gone: Gone): RowPlace {
  const isGone =
    place.pool === '' ? gone.environments.has(place.environment) : gone.pools.has(place.pool);
  if (!isGone) return place;
  const environment = place.pool === '' ? '' : place.environment;
  return { pool: '', environment, release: null, zone: null };
}

export function addRows(a: LedgerRow, b: LedgerRow): LedgerRow {
  return {
    ...a,
    outcomes: mapOutcomes((outcome) => a.outcomes[outcome] + b.outcomes[outcome]),
    answers: combineAnswers(a.answers, b.answers, 1),
    retried: a.retried + b.retried,
    drained: a.drained + b.drained,
    latency: sum(a.latency, b.latency),
  };
}

function subtractRows(later: LedgerRow, earlier: LedgerRow): LedgerRow {
  return {
    ...later,
    outcomes: mapOutcomes((outcome) => later.outcomes[outcome] - earlier.outcomes[outcome]),
    answers: combineAnswers(later.answers, earlier.answers, -1),
    retried: later.retried - earlier.retried,
    drained: later.drained - earlier.drained,
    latency: subtract(later.latency, earlier.latency),
  };
}

/**
 * What happened between two readings, to one environment or, without one, to all. Totals are
 * compared and not rows: between the two, counts may have moved from one row to another.
 */
export function ledgerDifference(
  earlier: LedgerReading,
  later: LedgerReading,
  environment?: string,
): LedgerRow {
  return subtractRows(totalOf(later, environment), totalOf(earlier, environment));
}

function totalOf({ rows }: LedgerReading, environment: string | undefined): LedgerRow {
  return rows
    .filter((row) => environment === undefined || row.environment === environment)
    .reduce(addRows, emptyRow(environment ?? ''));
}

export function emptyRow(environment: string): LedgerRow {
  return {
    pool: '',
    environment,
    release: null,
    zone: null,
    outcomes: noOutcomes(),
    answers: {},
    retried: 0,
    drained: 0,
    latency: [],
  };
}

function mapOutcomes(count: (outcome: Outcome) => number): OutcomeCounts {
  return Object.fromEntries(outcomes.map((outcome) => [outcome, count(outcome)])) as OutcomeCounts;
}

/** @param sign 1 adds b to a, −1 takes it away; what comes to nothing is left out */
function combineAnswers(a: AnswerCounts, b: AnswerCounts, sign: 1 | -1): AnswerCounts {
  const combined = { ...a };
  for (const [key, count] of Object.entries(b) as [keyof AnswerCounts, number][]) {
    const total = (combined[key] ?? 0) + sign * count;
    if (total === 0) delete combined[key];
    else combined[key] = total;
  }
  return combined;
}
