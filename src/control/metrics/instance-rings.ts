import type { InstancePoint } from '../../model/metrics.ts';

/**
 * The last quarter of an hour of every instance, second by second: a ring of half-precision floats
 * for each (one part in 2,048; NaN where nothing was measured), 12.6 KB in all, freed when the
 * instance is gone. All share the times, because all are measured together.
 */

/** Seconds that are kept. */
const SECONDS = 900;
/** In this order in a ring. */
const FIELDS = [
  'cpuPercent',
  'memoryMb',
  'requests',
  'errors',
  'inFlight',
  'p50Ms',
  'p99Ms',
] as const;
/** The largest number a ring can hold; what is more is told as this. */
const LARGEST = 65_504;
const MB = 1024 * 1024;

/** Of one second. NaN: not measured. */
export type InstanceFigures = Record<(typeof FIELDS)[number], number>;

interface Ring {
  values: Float16Array;
  /** The first second it was there. */
  firstTick: number;
}

export class InstanceRings {
  readonly #rings = new Map<string, Ring>();
  /** When seconds ended, on the clock that nobody can set. */
  readonly #times = new Float64Array(SECONDS);
  /** The number of the second that is being kept. */
  #tick = -1;

  /** A second has ended: `put` keeps the figures of every instance there is. */
  begin(atMs: number): void {
    this.#tick += 1;
    this.#times[this.#tick % SECONDS] = atMs;
  }

  put(id: string, figures: Readonly<InstanceFigures>): void {
    let ring = this.#rings.get(id);
    if (!ring) {
      ring = { values: new Float16Array(FIELDS.length * SECONDS), firstTick: this.#tick };
      this.#rings.set(id, ring);
    }
    let at = (this.#tick % SECONDS) * FIELDS.length;
    for (const field of FIELDS) {
      ring.values[at] = Math.min(figures[field], LARGEST);
      at += 1;
    }
  }

  /** Frees what is kept of all others. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#rings.keys()) if (!ids.has(id)) this.#rings.delete(id);
  }

  /**
   * Oldest first; empty for an instance that is not known.
   *
   * @param aheadMs how far the wall clock is ahead of the one that nobody can set
   */
  points(id: string, aheadMs: number): InstancePoint[] {
    const ring = this.#rings.get(id);
    if (!ring) return [];
    const points: InstancePoint[] = [];
    const first = Math.max(ring.firstTick, this.#tick - SECONDS + 1);
    for (let tick = first; tick <= this.#tick; tick += 1) {
      const atMs = this.#times[tick % SECONDS] ?? 0;
      points.push(
        pointAt(ring.values, (tick % SECONDS) * FIELDS.length, Math.round(atMs + aheadMs)),
      );
    }
    return points;
  }
}

function pointAt(values: Float16Array, from: number, at: number): InstancePoint {
  const read = (field: (typeof FIELDS)[number]): number | null => {
    const value = values[from + FIELDS.indexOf(field)] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  };
  const memoryMb = read('memoryMb');
  return {
    at,
    cpuPercent: read('cpuPercent'),
    memoryBytes: memoryMb === null ? null : Math.round(memoryMb * MB),
    requestsPerSecond: read('requests'),
    errorsPerSecond: read('errors'),
    inFlight: read('inFlight'),
    p50Ms: read('p50Ms'),
    p99Ms: read('p99Ms'),
  };
}
