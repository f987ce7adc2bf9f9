import type { Clock } from '../../kernel/clock.ts';
import type { EnvironmentKey } from '../../model/environment.ts';
import { type GroupPoint, MINUTES_KEPT_MS } from '../../model/metrics.ts';
import type { Store } from '../../store/driver.ts';
import { pointOf } from './group-points.ts';
import type { GroupSecond } from './group-second.ts';

/** Seconds put together by the minutes of the wall clock, on record for a month. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** How often minutes that are too old are looked for. */
const PRUNING_PERIOD_MS = HOUR_MS;
/** By so much the wall clock moves beside the other one when it is set, and not when it is slewed. */
const JUMP_MS = 500;
/** A month of minutes is some megabytes; they stay in memory while somebody asks for them. */
const CACHED_MS = 10 * MINUTE_MS;

interface Cached {
  /** Oldest first. */
  points: GroupPoint[];
  askedAtMs: number;
}

/**
 * A wall clock that is set begins another minute, and what was measured of the one it broke off is
 * not kept. A minute that comes twice, because the clock went back, is on record as it was the
 * second time, and until then nobody is told of the minutes ahead. Nothing is dropped for its age
 * until the clock has gone on for an hour without being set, so that a clock that is wrong for a
 * moment does not cost a month.
 */
export class Minutes {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #cached = new Map<EnvironmentKey, Cached>();
  /** Minutes since the epoch, of the one that has begun; null before the first second. */
  #minute: number | null = null;
  /** When it began, on the clock that nobody can set. */
  #beganMs = 0;
  #aheadMs = 0;
  #pruneDueMs: number;

  constructor({ store, clock }: { store: Store; clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
    this.#pruneDueMs = clock.monotonic() + PRUNING_PERIOD_MS;
  }

  /**
   * After each second: when that was the last of a minute, the minute goes on record.
   *
   * @param seconds oldest first, by environment
   */
  follow(seconds: ReadonlyMap<EnvironmentKey, readonly GroupSecond[]>): void {
    const nowMs = this.#clock.monotonic();
    const now = this.#clock.now();
    const aheadMs = now - nowMs;
    const minute = Math.floor(now / MINUTE_MS);
    const wasSet = Math.abs(aheadMs - this.#aheadMs) >= JUMP_MS;
    this.#aheadMs = aheadMs;
    if (this.#minute === null || wasSet) {
      this.#begin(minute, nowMs);
      this.#cached.clear();
      this.#pruneDueMs = nowMs + PRUNING_PERIOD_MS;
      return;
    }
    if (minute === this.#minute) return;
    const at = (this.#minute + 1) * MINUTE_MS;
    const beganMs = this.#beganMs;
    this.#begin(minute, nowMs);
    this.#store.transaction(() => {
      for (const [key, all] of seconds) this.#save(key, all, beganMs, at);
      if (nowMs < this.#pruneDueMs) return;
      this.#store.forgetMinutes(now - MINUTES_KEPT_MS, now + HOUR_MS);
      this.#pruneDueMs = nowMs + PRUNING_PERIOD_MS;
    });
    this.#forgetUnasked(nowMs);
  }

  /** Of the last month, oldest first; a minute in which nothing was measured is left out. */
  of(key: EnvironmentKey): GroupPoint[] {
    const now = this.#clock.now();
    const cached = this.#cached.get(key) ?? {
      points: this.#store.minutes(key, now - MINUTES_KEPT_MS, now),
      askedAtMs: 0,
    };
    cached.askedAtMs = this.#clock.monotonic();
    this.#cached.set(key, cached);
    return cached.points;
  }

  /** Of the last so long, read for once: a month of them is long. */
  last(key: EnvironmentKey, lastMs: number): readonly GroupPoint[] {
    const now = this.#clock.now();
    return this.#cached.get(key)?.points ?? this.#store.minutes(key, now - lastMs, now);
  }

  #begin(minute: number, atMs: number): void {
    this.#minute = minute;
    this.#beganMs = atMs;
  }

  #save(key: EnvironmentKey, all: readonly GroupSecond[], beganMs: number, at: number): void {
    let first = all.length;
    while (first > 0 && (all[first - 1]?.atMs ?? 0) > beganMs) first -= 1;
    const point = pointOf(all.slice(first), MINUTE_MS, at);
    if (isEmpty(point)) return;
    this.#store.saveMinute(key, point);
    const cached = this.#cached.get(key);
    if (!cached) return;
    // Another array, so that what was given out stays as it was.
    const kept = cached.points.filter((each) => each.at > at - MINUTES_KEPT_MS && each.at < at);
    cached.points = [...kept, point];
  }

  #forgetUnasked(nowMs: number): void {
    for (const [key, { askedAtMs }] of this.#cached) {
      if (nowMs - askedAtMs >= CACHED_MS) this.#cached.delete(key);
    }
  }
}

function isEmpty({ at, instances, reported, ...measured }: GroupPoint): boolean {
  const none = Object.values(measured).every((value) => value === null);
  return none && Object.keys(reported).length === 0;
}
