import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { type Deployment, isRunning } from '../model/deployment.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import { type Instance, isLive } from '../model/instance.ts';
import type { Store } from '../store/driver.ts';
import { FAILURES_KEPT_MS, type Records } from './records.ts';

/**
 * Deadlines, bakes and the time an instance has been healthy hang on stamps of the wall clock, and
 * somebody may set it. The machine has another clock that nobody can set: when the two have moved
 * apart, every stamp that something still hangs on is moved along, so that what has passed is what
 * has passed. A sleeping machine is the same case: its own clock stands still meanwhile. The distance
 * of the two is on record, so that a jump while no daemon ran is noticed too.
 */

/** Less is not worth telling; what is slewed slowly moves both clocks. */
const JUMP_MS = 500;

export interface ClockJumpParts {
  records: Records;
  store: Store;
  clock: Clock;
  log: Log;
  /** Which start of the machine `clock.monotonic()` counts from; empty where nobody can say. */
  bootId: string;
  /** Told by how far stamps have moved. */
  moved: (byMs: number) => void;
}

export class ClockJumps {
  readonly #parts: ClockJumpParts;
  #aheadMs: number | null = null;

  constructor(parts: ClockJumpParts) {
    this.#parts = parts;
  }

  /** Before the first plan: what happened while no daemon looked. */
  begin(): void {
    const { store, records, clock, bootId } = this.#parts;
    const reading = store.clockReading();
    if (reading && bootId !== '' && reading.bootId === bootId) {
      this.#aheadMs = reading.aheadMs;
      this.settle();
      return;
    }
    // Of another start of the machine nothing is known but that the future has not come.
    const newest = Math.max(...records.environments().map(({ key }) => newestStamp(key, records)));
    if (newest > clock.now()) this.#move(clock.now() - newest);
    this.#keep(this.#ahead());
  }

  /** Moves the stamps if the wall clock was set since the last look. */
  settle(): void {
    const aheadMs = this.#ahead();
    const byMs = this.#aheadMs === null ? 0 : aheadMs - this.#aheadMs;
    if (this.#aheadMs !== null && Math.abs(byMs) < JUMP_MS) return;
    this.#parts.records.transaction(() => {
      if (byMs !== 0) this.#move(byMs);
      this.#keep(aheadMs);
    });
  }

  #ahead(): number {
    const { clock } = this.#parts;
    return Math.round(clock.now() - clock.monotonic());
  }

  #keep(aheadMs: number): void {
    this.#parts.store.saveClockReading({ bootId: this.#parts.bootId, aheadMs });
    this.#aheadMs = aheadMs;
  }

  #move(byMs: number): void {
    const { records, store, clock, log } = this.#parts;
    log.warn({ byMs }, 'the wall clock was set; what is under way moves along');
    for (const { key } of records.environments()) {
      const since = clock.now() - byMs - FAILURES_KEPT_MS;
      for (const instance of store.instances(key, since)) {
        store.saveInstance(instanceMoved(instance, byMs));
      }
      const [last] = store.deployments(key, 1);
      if (last && isRunning(last)) store.saveDeployment(deploymentMoved(last, byMs));
    }
    records.reload();
    this.#parts.moved(byMs);
  }
}

function newestStamp(key: EnvironmentKey, records: Records): number {
  const live = records.instances(key).filter(isLive);
  const running = records.runningDeployment(key);
  return Math.max(0, running?.startedAt ?? 0, ...live.map(({ since }) => since));
}

function instanceMoved(instance: Instance, byMs: number): Instance {
  const { createdAt, since, inServiceAt, exit, passedAt, wait } = instance;
  return {
    ...instance,
    createdAt: createdAt + byMs,
    since: since + byMs,
    inServiceAt: moved(inServiceAt, byMs),
    exit: exit && { ...exit, at: exit.at + byMs },
    ...(passedAt !== undefined && { passedAt: passedAt + byMs }),
    ...(wait && {
      wait: { ...wait, since: wait.since + byMs, heartbeatAt: wait.heartbeatAt + byMs },
    }),
  };
}

function deploymentMoved(deployment: Deployment, byMs: number): Deployment {
  const { startedAt, turnedAt, stage, ledgerAtStart, hooks } = deployment;
  return {
    ...deployment,
    startedAt: startedAt + byMs,
    turnedAt: moved(turnedAt, byMs),
    stage: stage && { ...stage, since: stage.since + byMs },
    hooks: hooks.map((run) => ({
      ...run,
      startedAt: moved(run.startedAt, byMs),
      endedAt: moved(run.endedAt, byMs),
    })),
    ledgerAtStart: ledgerAtStart && { ...ledgerAtStart, at: ledgerAtStart.at + byMs },
  };
}

const moved = (stamp: number | null, byMs: number): number | null =>
  stamp === null ? null : stamp + byMs;
