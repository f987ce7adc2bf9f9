import { NO_SCALING, type ScalingPolicy, type TrackPolicy } from '../../model/scaling.ts';
import { decideScaling } from './decide.ts';
import {
  type MetricPoint,
  NOTHING_REMEMBERED,
  type ScalingDecision,
  type ScalingInput,
  type ScalingMemory,
} from './scaling.ts';

/** What decisions are made from, as tests write it. */

export const START = Date.parse('2026-03-03T12:00:00Z');
export const PERIOD_MS = 2_000;

export const trackCpu: TrackPolicy = {
  kind: 'track',
  metric: 'cpu',
  source: null,
  target: 50,
  scaleIn: true,
};
export const trackRequests: TrackPolicy = {
  ...trackCpu,
  metric: 'requests-per-instance',
  target: 100,
};

/** With nothing measured. */
export function pointAt(at: number, measured: Partial<MetricPoint> = {}): MetricPoint {
  return {
    at,
    instances: 4,
    cpuPercent: null,
    requestsPerMinute: null,
    concurrency: null,
    p99Ms: null,
    reported: {},
    ...measured,
  };
}

/** The last of them now. */
export function pointsOf(
  measured: readonly Partial<MetricPoint>[],
  now = START,
  periodMs = PERIOD_MS,
): MetricPoint[] {
  return measured.map((each, index) =>
    pointAt(now - (measured.length - 1 - index) * periodMs, each),
  );
}

export const steady = (count: number, measured: Partial<MetricPoint>): MetricPoint[] =>
  pointsOf(Array.from({ length: count }, () => measured));

/** Four healthy instances between 1 and 20, and no window: a decision shows what is wanted. */
export function inputWith(
  policies: readonly ScalingPolicy[],
  changes: Partial<ScalingInput> = {},
): ScalingInput {
  return {
    now: START,
    periodMs: PERIOD_MS,
    capacity: { min: 1, desired: 4, max: 20 },
    scaling: { ...NO_SCALING, stabilizationMs: 0, policies: [...policies] },
    fleet: { inService: 4, healthy: 4, starting: 0, isProtected: 0 },
    bootMs: 2_000,
    points: [],
    history: [],
    memory: NOTHING_REMEMBERED,
    deploying: false,
    ...changes,
  };
}

/** Of a queue: hardly more until there is too much to do. */
const latencyAt = (busy: number): number => (busy >= 0.99 ? 5_000 : 50 / (1 - busy));

interface GroupSetup {
  scaling: ScalingInput['scaling'];
  capacity?: ScalingInput['capacity'];
  bootMs?: number;
  periodMs?: number;
  /** Per cent of an instance's CPU that a request a minute takes. */
  costPercent?: number;
}

/** A group that exists as numbers: its load goes where the test says, its size where decisions say. */
export class DrivenGroup {
  now = START;
  desired: number;
  readonly decisions: ScalingDecision[] = [];
  /** Of the last period, whether there was less capacity than load. */
  isShort = false;
  memory: ScalingMemory = NOTHING_REMEMBERED;
  points: MetricPoint[] = [];
  history: MetricPoint[] = [];
  readonly #setup: Required<GroupSetup>;
  /** When each instance serves from. */
  #serveFrom: number[];

  constructor(setup: GroupSetup) {
    const capacity = { min: 1, desired: 1, max: 1_000 };
    this.#setup = { capacity, bootMs: 2_000, periodMs: PERIOD_MS, costPercent: 1, ...setup };
    this.desired = this.#setup.capacity.desired;
    this.#serveFrom = Array.from({ length: this.desired }, () => START);
  }

  /** Lets a period pass with so many requests a minute; null: nobody measured. */
  pass(requestsPerMinute: number | null): ScalingDecision {
    const { periodMs, costPercent, capacity, scaling, bootMs } = this.#setup;
    const serving = this.#serveFrom.filter((from) => from <= this.now).length;
    this.now += periodMs;
    const asked = requestsPerMinute === null ? null : requestsPerMinute * costPercent;
    this.isShort = asked !== null && asked > 100 * serving;
    const cpuPercent = asked === null ? null : Math.min(asked, 100 * serving);
    const p99Ms = asked === null ? null : latencyAt(asked / (100 * serving));
    const measured = { instances: serving, cpuPercent, requestsPerMinute, p99Ms };
    const point = pointAt(this.now, measured);
    this.points = [...this.points, point].slice(-450);
    if (this.now % 60_000 === 0) this.history.push(point);
    const up = this.#serveFrom.filter((from) => from <= this.now).length;
    const fleet = { inService: up, healthy: up, starting: this.desired - up, isProtected: 0 };
    const decision = decideScaling({
      ...inputWith([], { fleet, bootMs, periodMs, scaling, now: this.now, points: this.points }),
      capacity: { ...capacity, desired: this.desired },
      history: this.history,
      memory: this.memory,
    });
    this.#want(decision.to);
    this.memory = decision.memory;
    this.decisions.push(decision);
    return decision;
  }

  /** The wall clock is set; control moves no stamp along. */
  setClock(byMs: number): void {
    this.now += byMs;
    this.#serveFrom = this.#serveFrom.map((from) => from + byMs);
  }

  #want(desired: number): void {
    this.desired = desired;
    this.#serveFrom = this.#serveFrom.sort((a, b) => a - b).slice(0, desired);
    while (this.#serveFrom.length < desired) {
      this.#serveFrom.push(this.now + this.#setup.bootMs);
    }
  }
}
