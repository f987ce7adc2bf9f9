import type { Clock, Timer } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import type { HeldSlot } from './held-slot.ts';
import type { LogBound } from './log-bound.ts';
import { type ProcessTable, readProcesses, readProcessTable } from './process-table.ts';
import type { Trees } from './trees.ts';

/** Measures every slot again and again, bounds its log, and finds what goes beyond its limits. */
export interface Sampling {
  start(periodMs: number): void;
  /** Resolves when no sample is being taken any more. */
  close(): Promise<void>;
}

export interface SamplingParts {
  clock: Clock;
  log: Log;
  slots: ReadonlyMap<string, HeldSlot>;
  trees: Trees;
  bound: LogBound;
  /** An instance has to be stopped, for a cause. */
  condemn(held: HeldSlot, cause: string): void;
}

/**
 * Reading every process of the machine may take this share of the time, one part in so many. Where
 * it would take more, samples in between look at the processes that are known.
 */
const TABLE_COST_FACTOR = 500;

export function sampling(parts: SamplingParts): Sampling {
  const { clock, log, slots, trees, bound, condemn } = parts;
  let timer: Timer | null = null;
  let taking: Promise<void> | null = null;
  let tableDueMs = 0;

  /** Sizes first: between the reading of the table and its use nothing may wait. */
  async function take(): Promise<void> {
    const logBytes = new Map<HeldSlot, number>();
    for (const held of slots.values()) {
      logBytes.set(held, await bound.apply(held.logPath).catch(() => 0));
    }
    const running = [...slots.values()].filter((held) => held.record.exit === null);
    if (running.length === 0) return;
    const atMs = clock.monotonic();
    const table = readTable(running);
    for (const held of running) {
      held.usage = held.meter.sample(trees.find(held, table), atMs);
      const sample = { atMs, logBytes: logBytes.get(held) ?? 0, rssBytes: held.usage.rssBytes };
      const cause = held.supervision.judge(sample);
      if (cause !== null && held.record.sentence === null) condemn(held, cause);
    }
  }

  function readTable(running: readonly HeldSlot[]): ProcessTable {
    const beganMs = clock.monotonic();
    if (beganMs < tableDueMs) {
      return readProcesses(running.flatMap((held) => held.known.map(({ pid }) => pid)));
    }
    const table = readProcessTable();
    trees.index.prune(table);
    const endedMs = clock.monotonic();
    tableDueMs = endedMs + (endedMs - beganMs) * TABLE_COST_FACTOR;
    return table;
  }

  return {
    start(periodMs) {
      timer = clock.every(periodMs, () => {
        taking ??= take()
          .catch((thrown) => log.error({ error: messageOf(thrown) }, 'could not take a sample'))
          .finally(() => {
            taking = null;
          });
      });
    },
    async close() {
      timer?.cancel();
      await taking;
    },
  };
}
