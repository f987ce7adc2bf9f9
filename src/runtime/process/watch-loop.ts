import type { Clock, Timer } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import type { ControlGroups } from './cgroup.ts';
import { type HeldSlot, observeExit } from './held-slot.ts';
import type { SlotRecord } from './record.ts';
import { socketWatch } from './socket-watch.ts';
import type { Trees } from './trees.ts';

/**
 * Looks at the slots again and again, as often as there is something to expect: closely while an
 * instance comes up, seldom when all are up and their ends are told by the system.
 */
export interface WatchLoop {
  /** Looks now, tells what has changed, and sets when to look again. */
  look(): void;
  /** Tells the listeners that the slots have changed. */
  notify(): void;
  watch(listener: () => void): () => void;
  close(): void;
}

export interface WatchLoopParts {
  clock: Clock;
  log: Log;
  slots: ReadonlyMap<string, HeldSlot>;
  groups: ControlGroups;
  trees: Trees;
  /** Writes the record in the background. */
  save(record: SlotRecord): void;
}

/**
 * While an instance is coming up its port is looked at this often: a deployment waits for it. Where
 * there is so much to look at that this would take more than a tenth of the time, less often.
 */
const STARTING_PERIOD_MS = 5;
const SLOWEST_STARTING_PERIOD_MS = 20;
const STARTING_COST_FACTOR = 10;
/** Nobody tells us of the end of a process that is not our child. */
const ADOPTED_PERIOD_MS = 100;
/** The system tells of the end of our children, and so this only catches what it cannot know. */
const RESTING_PERIOD_MS = 1_000;
/** One that has not listened by then may never do. */
const STARTING_MS = 60_000;

export function watchLoop(parts: WatchLoopParts): WatchLoop {
  const { clock, log, slots, groups, trees, save } = parts;
  const sockets = socketWatch(clock);
  const listeners = new Set<() => void>();
  let timer: Timer | null = null;
  let closed = false;
  let failing = false;

  const running = (): HeldSlot[] => [...slots.values()].filter((held) => held.record.exit === null);

  const loop: WatchLoop = {
    look() {
      if (closed) return;
      timer?.cancel();
      const beganMs = clock.monotonic();
      const changed = tryToObserve();
      const periodMs = nextLookMs(running(), clock.monotonic() - beganMs);
      timer = periodMs === null ? null : clock.after(periodMs, loop.look);
      if (changed) loop.notify();
    },
    notify() {
      for (const listener of listeners) listener();
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closed = true;
      timer?.cancel();
      listeners.clear();
    },
  };

  /** A machine out of descriptors or memory shows nothing: the slots stay as they were last seen. */
  function tryToObserve(): boolean {
    try {
      const changed = observe();
      failing = false;
      return changed;
    } catch (thrown) {
      if (!failing) log.error({ error: messageOf(thrown) }, 'could not look at the processes');
      failing = true;
      return false;
    }
  }

  function observe(): boolean {
    let changed = false;
    for (const held of running()) changed = observeEnd(held) || changed;
    return sockets.look(running(), (held) => trees.find(held)) || changed;
  }

  function observeEnd(held: HeldSlot): boolean {
    const exit = observeExit(held, groups, clock);
    if (exit === null) return false;
    held.record.exit = exit;
    held.socket = null;
    save(held.record);
    return true;
  }

  function nextLookMs(held: readonly HeldSlot[], costMs: number): number | null {
    if (held.length === 0) return null;
    if (held.some(isExpected)) {
      const affordableMs = Math.max(STARTING_PERIOD_MS, costMs * STARTING_COST_FACTOR);
      return Math.min(SLOWEST_STARTING_PERIOD_MS, affordableMs);
    }
    return held.every((each) => each.parented) ? RESTING_PERIOD_MS : ADOPTED_PERIOD_MS;
  }

  /** It is about to listen, or about to be known to have ended. */
  function isExpected(held: HeldSlot): boolean {
    if (held.missedAtMs !== null) return true;
    return held.socket === null && clock.monotonic() - held.sinceMs < STARTING_MS;
  }

  return loop;
}
