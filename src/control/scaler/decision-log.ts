import type { EnvironmentKey } from '../../model/environment.ts';
import {
  NOTHING_REMEMBERED,
  type ScalingMemory,
  type ScalingRecord,
} from '../../model/scaling-decision.ts';
import type { Store } from '../../store/driver.ts';
import { isMoreOfTheSame, joined } from './runs.ts';

/**
 * Decisions on record, with what is remembered between them. Most of them change nothing: those are
 * written down now and then, with what follows from them; whatever changes something, or must not be
 * forgotten, is on disk before anything comes of it.
 */

/** A crash forgets no more than this of what was measured while nothing changed. */
const WRITE_PERIOD_MS = 10_000;

interface Course {
  memory: ScalingMemory;
  /** The highest of what was wanted, as it is on disk. */
  keptHighest: number;
  writtenAt: number;
  last: { id: number; record: ScalingRecord } | null;
}

export class DecisionLog {
  readonly #store: Store;
  readonly #courses = new Map<EnvironmentKey, Course>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** What is remembered; of an earlier life, what its last words leave to be assumed. */
  memory(key: EnvironmentKey, now: number): ScalingMemory {
    return this.#course(key, now).memory;
  }

  /** In the caller's transaction. */
  add(key: EnvironmentKey, record: ScalingRecord, memory: ScalingMemory): void {
    const course = this.#course(key, record.at);
    const { last } = course;
    course.memory = memory;
    if (last && isMoreOfTheSame(last.record, record)) {
      last.record = joined(last.record, record);
      const isDue = record.at - course.writtenAt >= WRITE_PERIOD_MS;
      if (isDue || highest(memory) > course.keptHighest) this.#write(key, course, record.at);
      return;
    }
    if (last) this.#store.saveScalingRecord(last.id, last.record);
    course.last = { id: this.#store.addScalingRecord(key, record), record };
    this.#writeMemory(key, course, record.at);
  }

  /** Newest first. */
  recent(key: EnvironmentKey, limit: number): ScalingRecord[] {
    const last = this.#courses.get(key)?.last;
    const kept = this.#store.scalingRecords(key, limit);
    return last ? [last.record, ...kept.slice(1)] : kept;
  }

  /** The last decision that this life has made. */
  last(key: EnvironmentKey): ScalingRecord | null {
    return this.#courses.get(key)?.last?.record ?? null;
  }

  /** There is nothing to decide any more, or not for now. */
  close(key: EnvironmentKey): void {
    const course = this.#courses.get(key);
    if (!course) return;
    this.#write(key, course, course.writtenAt);
    this.#courses.delete(key);
  }

  /** After a write that failed: what counts is what is on disk. */
  reload(): void {
    this.#courses.clear();
  }

  closeAll(): void {
    if (this.#courses.size === 0) return;
    this.#store.transaction(() => {
      for (const key of [...this.#courses.keys()]) this.close(key);
    });
  }

  /** The wall clock was set: what has passed is what has passed. */
  move(keys: readonly EnvironmentKey[], byMs: number): void {
    for (const key of keys) {
      const course = this.#courses.get(key);
      const memory = course?.memory ?? this.#store.scalingMemory(key);
      if (!memory) continue;
      const moved = movedMemory(memory, byMs);
      this.#store.saveScalingMemory(key, moved);
      if (!course) continue;
      course.memory = moved;
      course.writtenAt += byMs;
      // What was decided by the clock as it was stays as it was told.
      course.last = null;
    }
  }

  #course(key: EnvironmentKey, now: number): Course {
    const known = this.#courses.get(key);
    if (known) return known;
    const kept = this.#store.scalingMemory(key);
    const course: Course = {
      memory: kept ? carriedOn(kept, now) : NOTHING_REMEMBERED,
      keptHighest: kept ? highest(kept) : 0,
      writtenAt: Number.NEGATIVE_INFINITY,
      last: null,
    };
    this.#courses.set(key, course);
    return course;
  }

  #write(key: EnvironmentKey, course: Course, at: number): void {
    if (course.last) this.#store.saveScalingRecord(course.last.id, course.last.record);
    this.#writeMemory(key, course, at);
  }

  #writeMemory(key: EnvironmentKey, course: Course, at: number): void {
    this.#store.saveScalingMemory(key, course.memory);
    course.keptHighest = highest(course.memory);
    course.writtenAt = at;
  }
}

const highest = ({ wanted }: ScalingMemory): number =>
  wanted.reduce((most, { instances }) => Math.max(most, instances), 0);

/** While nobody looked, as many were wanted as were last; and the future has not come. */
function carriedOn(memory: ScalingMemory, now: number): ScalingMemory {
  const { wanted, lastOutAt, lastInAt, scheduled } = memory;
  const past = (at: number) => Math.min(at, now);
  const last = wanted.at(-1);
  const kept = wanted.map(({ at, instances }) => ({ at: past(at), instances }));
  return {
    wanted: last ? [...kept, { at: now, instances: last.instances }] : kept,
    lastOutAt: lastOutAt === null ? null : past(lastOutAt),
    lastInAt: lastInAt === null ? null : past(lastInAt),
    scheduled,
  };
}

/** Schedules are of the calendar, and stay where they are. */
function movedMemory(memory: ScalingMemory, byMs: number): ScalingMemory {
  const moved = (at: number | null) => (at === null ? null : at + byMs);
  return {
    ...memory,
    wanted: memory.wanted.map(({ at, instances }) => ({ at: at + byMs, instances })),
    lastOutAt: moved(memory.lastOutAt),
    lastInAt: moved(memory.lastInAt),
  };
}
