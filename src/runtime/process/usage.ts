import type { SlotUsage } from '../driver.ts';
import { type ProcessEntry, TICKS_PER_SECOND } from './process-table.ts';

/** Measures one instance's whole tree, sample by sample. */
export interface UsageMeter {
  sample(tree: readonly ProcessEntry[], atMs: number): SlotUsage;
}

export function usageMeter(pageBytes: number): UsageMeter {
  let last: { atMs: number; ticks: Map<string, number> } | null = null;
  return {
    sample(tree, atMs) {
      const ticks = new Map(tree.map((entry) => [keyOf(entry), entry.cpuTicks]));
      const residentPages = tree.reduce((total, entry) => total + entry.residentPages, 0);
      const before = last;
      last = { atMs, ticks };
      return {
        cpuPercent: before === null ? null : cpuPercent(before.ticks, ticks, atMs - before.atMs),
        rssBytes: residentPages * pageBytes,
      };
    },
  };
}

/** A process that was not there before has spent all its ticks since. */
function cpuPercent(
  before: ReadonlyMap<string, number>,
  now: ReadonlyMap<string, number>,
  elapsedMs: number,
): number {
  let spent = 0;
  for (const [key, ticks] of now) spent += ticks - (before.get(key) ?? 0);
  const seconds = Math.max(elapsedMs, 1) / 1000;
  return Math.round((spent / TICKS_PER_SECOND / seconds) * 1000) / 10;
}

const keyOf = (entry: ProcessEntry): string => `${entry.pid}/${entry.startTicks}`;
