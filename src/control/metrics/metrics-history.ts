import type { EdgeDriver } from '../../edge/driver.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { Fault, messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import { type Environment, type EnvironmentKey, environmentKey } from '../../model/environment.ts';
import {
  type GroupPoint,
  type InstanceMetricsView,
  type InstancePoint,
  type MetricsNow,
  type MetricsView,
  SECONDS_KEPT_MS,
} from '../../model/metrics.ts';
import type { Store } from '../../store/driver.ts';
import type { EventFeed } from '../event-feed.ts';
import type { Slots } from '../observe.ts';
import type { Records } from '../records.ts';
import { AppNumbers } from './app-numbers.ts';
import { EdgeTotals, sampleEdge } from './edge-sample.ts';
import { pointsOf } from './group-points.ts';
import type { GroupSecond } from './group-second.ts';
import { coresOf, groupUsage } from './group-usage.ts';
import { type EdgeSecond, instanceFigures } from './instance-figures.ts';
import { InstanceRings } from './instance-rings.ts';
import { Minutes } from './minutes.ts';

/** How often everything is measured. */
const PERIOD_MS = 1_000;
/** So much later than the one before, a sample is none of a second: the daemon was held up. */
const HELD_UP_MS = 5_000;
/** An edge that takes longer to answer is not waited for: CPU is measured all the same. */
const EDGE_PATIENCE_MS = 2_000;
const MINUTE_MS = 60_000;
const SECONDS_KEPT = SECONDS_KEPT_MS / PERIOD_MS;

export interface MetricsParts {
  records: Records;
  store: Store;
  edge: EdgeDriver;
  feed: EventFeed;
  clock: Clock;
  log: Log;
  slots: () => Promise<Slots>;
  /** Moves stamps along when the wall clock was set; before ages are told by them. */
  settleClock: () => void;
}

/**
 * What instances have done: every second of the last quarter of an hour, in memory, and every minute
 * of the last month, on record. What could not be measured is null and never 0: while the edge
 * cannot be reached, and before the second sample.
 */
export class MetricsHistory {
  readonly #parts: MetricsParts;
  readonly #minutes: Minutes;
  readonly #numbers: AppNumbers;
  readonly #instances = new InstanceRings();
  /** Oldest first. */
  readonly #seconds = new Map<EnvironmentKey, GroupSecond[]>();
  #lastAtMs: number | null = null;
  #lastTotals: EdgeTotals | null = null;
  /** Ends the wait for the edge that is under way. */
  #answered = new AbortController();
  #timer: Timer | null = null;
  #sampling: Promise<void> | null = null;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    this.#minutes = new Minutes(parts);
    this.#numbers = new AppNumbers(parts);
  }

  start(): void {
    this.#timer = this.#parts.clock.every(PERIOD_MS, () => void this.sample());
  }

  /** Resolves when no sample is being taken any more. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#answered.abort();
    this.#numbers.close();
    await this.#sampling;
  }

  /** Measures everything now. Never rejects; one at a time. */
  sample(): Promise<void> {
    this.#sampling ??= this.#sample()
      .catch((fault) => this.#parts.log.error({ fault: messageOf(fault) }, 'cannot measure'))
      .finally(() => {
        this.#sampling = null;
      });
    return this.#sampling;
  }

  /**
   * Whole periods that end with the newest second, oldest first, of the last quarter of an hour.
   * One in which nothing was measured is left out.
   */
  points(key: EnvironmentKey, periodMs: number): GroupPoint[] {
    return pointsOf(this.#seconds.get(key) ?? [], periodMs, this.#aheadMs);
  }

  /** Every second of the last quarter of an hour, oldest first; empty for one that is gone. */
  instance(id: string): InstancePoint[] {
    return this.#instances.points(id, this.#aheadMs);
  }

  /**
   * By the second where they are kept, else by the minute.
   *
   * @throws `unknown-environment`
   */
  view(application: string, name: string, lastMs: number): MetricsView {
    const { key } = this.#parts.records.environment(environmentKey(application, name));
    const periodMs = lastMs <= SECONDS_KEPT_MS ? PERIOD_MS : MINUTE_MS;
    const points =
      periodMs === PERIOD_MS ? this.points(key, PERIOD_MS) : this.#minutes.last(key, lastMs);
    return {
      application,
      environment: name,
      periodMs,
      points: this.#last(points, lastMs),
      reported: this.reported(key),
    };
  }

  /** @throws `unknown-environment`, `unknown-instance` */
  instanceView(key: EnvironmentKey, id: string, lastMs: number): InstanceMetricsView {
    this.#parts.records.environment(key);
    if (!this.#parts.records.instance(key, id)) {
      throw new Fault({
        code: 'unknown-instance',
        message: `${key} has no instance ${id}`,
        subject: id,
        hint: 'see them with: belay status',
      });
    }
    return { instance: id, periodMs: PERIOD_MS, points: this.#last(this.instance(id), lastMs) };
  }

  #last<Point extends { at: number }>(points: readonly Point[], lastMs: number): Point[] {
    const since = this.#parts.clock.now() - lastMs;
    return points.filter(({ at }) => at > since);
  }

  /** By the minute, oldest first, of the last month; survives a restart. */
  history(key: EnvironmentKey): readonly GroupPoint[] {
    return this.#minutes.of(key);
  }

  /**
   * Takes a number of the app's own, which holds for two minutes.
   *
   * @throws `unknown-environment`, `bad-metric`
   */
  report(key: EnvironmentKey, name: string, value: number): void {
    this.#numbers.report(key, name, value);
  }

  /** The numbers of the app's own that hold now, by name. */
  reported(key: EnvironmentKey): Readonly<Record<string, number>> {
    return this.#numbers.of(key);
  }

  /** What of every environment is told by nobody else. */
  now(): MetricsNow[] {
    return this.#parts.records
      .environments()
      .filter(({ status }) => status !== 'terminated')
      .map(({ key, application, name }) => ({
        application,
        environment: name,
        waiting: this.#seconds.get(key)?.at(-1)?.waiting ?? null,
        reported: this.reported(key),
      }));
  }

  /** How far the wall clock is ahead of the one that nobody can set. */
  get #aheadMs(): number {
    const { clock } = this.#parts;
    return clock.now() - clock.monotonic();
  }

  async #sample(): Promise<void> {
    const { clock, records, slots: readSlots, settleClock } = this.#parts;
    const [slots, totals] = await Promise.all([readSlots(), this.#readEdge()]);
    settleClock();
    const atMs = clock.monotonic();
    const edge = this.#second(atMs, totals);
    const running = records.environments().filter(({ status }) => status !== 'terminated');
    this.#numbers.follow(running);
    const live = new Set<string>();
    this.#instances.begin(atMs);
    for (const environment of running) {
      const instances = records.instances(environment.key);
      for (const instance of instances) {
        live.add(instance.id);
        const slot = slots.get(instance.id);
        const figures = instanceFigures(instance.id, slot, coresOf(instance, records), edge);
        this.#instances.put(instance.id, figures);
      }
      this.#keep(environment, {
        atMs,
        durationMs: edge.durationMs,
        ...groupUsage(instances, slots, records, clock.now()),
        ...(totals?.passed(environment.key, edge.earlier) ?? NOTHING_TOLD),
        reported: this.#numbers.of(environment.key),
      });
    }
    this.#instances.keep(live);
    const keys = new Set(running.map(({ key }) => key));
    for (const key of this.#seconds.keys()) if (!keys.has(key)) this.#seconds.delete(key);
    this.#minutes.follow(this.#seconds);
  }

  /** Beside the sample before, unless so much has passed since that it says nothing of a second. */
  #second(atMs: number, now: EdgeTotals | null): EdgeSecond {
    const sinceMs = this.#lastAtMs === null ? null : atMs - this.#lastAtMs;
    const isSecond = sinceMs !== null && sinceMs < HELD_UP_MS;
    const earlier = isSecond ? this.#lastTotals : null;
    this.#lastAtMs = atMs;
    this.#lastTotals = now;
    return { now, earlier, durationMs: isSecond ? sinceMs : PERIOD_MS };
  }

  #keep({ key }: Environment, second: GroupSecond): void {
    const seconds = this.#seconds.get(key) ?? [];
    seconds.push(second);
    if (seconds.length > SECONDS_KEPT) seconds.shift();
    this.#seconds.set(key, seconds);
  }

  async #readEdge(): Promise<EdgeTotals | null> {
    const { edge, clock, log } = this.#parts;
    this.#answered = new AbortController();
    try {
      const late = clock.sleep(EDGE_PATIENCE_MS, this.#answered.signal).then(() => null);
      const sample = await Promise.race([sampleEdge(edge), late]);
      return sample && new EdgeTotals(sample);
    } catch (fault) {
      log.debug({ fault: messageOf(fault) }, 'the edge cannot be measured');
      return null;
    } finally {
      this.#answered.abort();
    }
  }
}

const NOTHING_TOLD = {
  came: null,
  errors: null,
  cached: null,
  latency: null,
  inFlight: null,
  waiting: null,
};
