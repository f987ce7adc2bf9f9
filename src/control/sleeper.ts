import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import type { Environment, EnvironmentKey } from '../model/environment.ts';
import type { Release } from '../model/release.ts';
import { capacityInForce, wantsToStayAwake } from '../plan/sleep.ts';
import { boundsInForce } from './capacity.ts';
import type { EdgeView } from './edge-view.ts';
import type { EventFeed } from './event-feed.ts';
import { goalNumber } from './observe.ts';
import type { Records } from './records.ts';
import type { Scaler } from './scaler/scaler.ts';
import { idleMsOf, wakingDesired } from './waking.ts';

/**
 * Scale to zero. Who wants an environment the edge alone knows: it is asked before anything is put to
 * sleep, and says when a request waits for what is asleep. Both are read as they are now, so that
 * nothing hangs on a daemon that was there when it happened.
 */

export interface SleeperParts {
  records: Records;
  edge: EdgeDriver;
  view: EdgeView;
  feed: EventFeed;
  clock: Clock;
  log: Log;
  scaler: Pick<Scaler, 'last' | 'note'>;
}

/** One that is awake. The times are of the clock that nobody sets. */
interface Awake {
  desired: number;
  /** As many have been in service since as are desired. */
  isUp: boolean;
  /**
   * From here its time counts: it was woken, deployed to or given more instances, and they came up; or
   * this daemon began.
   */
  stirredMs: number;
  /** It cannot be time to sleep before. */
  lookAtMs: number;
}

/** An environment that falls asleep when nobody wants it. */
interface Sleepy {
  environment: Environment;
  /** The one that serves, or is to. */
  release: Release;
  idleMs: number;
}

export class Sleeper {
  readonly #parts: SleeperParts;
  readonly #awake = new Map<EnvironmentKey, Awake>();

  constructor(parts: SleeperParts) {
    this.#parts = parts;
  }

  /**
   * Wakes the environment if somebody wants it, and puts it to sleep if nobody has for long.
   *
   * @returns when it may be time to; null where that is not known
   */
  async review(key: EnvironmentKey): Promise<number | null> {
    const { records, view } = this.#parts;
    const environment = records.find(key);
    const sleepy = environment ? this.#sleepy(environment) : null;
    const deployment = records.runningDeployment(key);
    if (!environment || !sleepy) {
      this.#awake.delete(key);
      // A deployment that is turned back takes it to where it was.
      if (environment?.asleep && !deployment) this.#keep(environment, null);
      return null;
    }
    if (capacityInForce(environment, deployment).desired > 0) return await this.#lookAfter(sleepy);
    this.#awake.delete(key);
    if (view.wanted.has(key)) this.#wake(sleepy);
    else if (!environment.asleep) this.#keep(environment, 1);
    return null;
  }

  async #lookAfter(sleepy: Sleepy): Promise<number | null> {
    const { records, clock } = this.#parts;
    const { environment, idleMs } = sleepy;
    const { key } = environment;
    const awake = this.#stir(sleepy);
    if (records.runningDeployment(key)) return null;
    if (environment.asleep && awake.isUp) this.#keep(environment, null);
    if (!this.#maySleep(sleepy)) return null;
    const waitMs = awake.lookAtMs - clock.monotonic();
    if (waitMs > 0) return clock.now() + waitMs;
    const quietMs = await this.#quietMs(key);
    const nowMs = clock.monotonic();
    const leftMs = idleMs - Math.min(quietMs, nowMs - awake.stirredMs);
    awake.lookAtMs = nowMs + leftMs;
    if (leftMs > 0) return clock.now() + leftMs;
    // Somebody may have asked for something else meanwhile.
    const isSame = records.find(key) === environment && !records.runningDeployment(key);
    if (isSame) this.#sleep(sleepy);
    return null;
  }

  /** Whoever gives it more instances wants them to be there for a while. */
  #stir({ environment: { key, capacity }, idleMs }: Sleepy): Awake {
    const { records, clock } = this.#parts;
    const { desired } = capacity;
    const known = this.#awake.get(key);
    const isMore = !known || desired > known.desired || records.runningDeployment(key) !== null;
    const serving = records.instances(key).filter(({ state }) => state === 'in-service').length;
    const isUp = serving >= desired || (!isMore && known.isUp);
    const nowMs = clock.monotonic();
    const awake =
      isMore || isUp !== known.isUp
        ? { desired, isUp, stirredMs: nowMs, lookAtMs: nowMs + idleMs }
        : { ...known, desired };
    this.#awake.set(key, awake);
    return awake;
  }

  #maySleep({ environment: { key, status, capacity }, release }: Sleepy): boolean {
    const { records, clock, scaler } = this.#parts;
    const { scaling } = release.configuration.web;
    if (status !== 'ready' || boundsInForce(capacity, scaling, clock.now()).min > 0) return false;
    const instances = records.instances(key);
    // What is about to serve is seen to serve. Between the tries of a crash loop nothing is.
    if (instances.some(({ state, isProtected }) => isProtected || state === 'pending'))
      return false;
    return !wantsToStayAwake(scaling, scaler.last(key));
  }

  /** What is not known is taken for wanted. */
  async #quietMs(key: EnvironmentKey): Promise<number> {
    const { edge, log } = this.#parts;
    try {
      return (await edge.quietMs())[key] ?? 0;
    } catch (fault) {
      log.debug(
        { environment: key, fault: messageOf(fault) },
        'the edge does not say who wants it',
      );
      return 0;
    }
  }

  #sleep({ environment, idleMs }: Sleepy): void {
    const { records, feed, scaler } = this.#parts;
    const { key, capacity } = environment;
    const message = `nobody wanted it for ${idleMs / 1000} s: nothing runs until the next request`;
    records.transaction(() => {
      this.#keep({ ...environment, capacity: { ...capacity, desired: 0 } }, capacity.desired);
      scaler.note(key, 0, message);
      feed.publish({ environment: key, severity: 'info', type: 'environment-asleep', message });
    });
    this.#awake.delete(key);
  }

  /** A deployment under way keeps what it wants, and goes back to what is wanted now. */
  #wake({ environment, release }: Sleepy): void {
    const { records, feed, clock, scaler } = this.#parts;
    const { key, capacity } = environment;
    const desired = wakingDesired(environment, release, clock.now());
    const message = `a request waits: it wakes with ${desired === 1 ? 'one instance' : `${desired} instances`}`;
    const deployment = records.runningDeployment(key);
    records.transaction(() => {
      records.saveEnvironment({
        ...environment,
        capacity: { ...capacity, desired: Math.max(capacity.desired, desired) },
      });
      if (deployment) {
        const { capacityBefore } = deployment;
        const before = { ...capacityBefore, desired: Math.min(capacityBefore.max, desired) };
        records.saveDeployment({ ...deployment, capacityBefore: before });
      }
      scaler.note(key, desired, message);
      feed.publish({ environment: key, severity: 'info', type: 'environment-woken', message });
    });
  }

  /** Notes that it is asleep, and how many were desired before; null: that it is awake. */
  #keep(environment: Environment, desired: number | null): void {
    const { records, clock } = this.#parts;
    const { asleep, ...awake } = environment;
    const noted = desired === null ? awake : { ...awake, asleep: { since: clock.now(), desired } };
    records.saveEnvironment(noted);
  }

  #sleepy(environment: Environment): Sleepy | null {
    if (environment.status === 'terminating' || environment.status === 'terminated') return null;
    const { records } = this.#parts;
    const goal = goalNumber(environment, records);
    const release = goal === null ? undefined : records.release(environment.key, goal);
    const idleMs = release ? idleMsOf(release) : null;
    return release && idleMs !== null ? { environment, release, idleMs } : null;
  }
}
