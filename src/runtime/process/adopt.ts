import type { Clock } from '../../kernel/clock.ts';
import { readExitFile, unknownExit } from './exit.ts';
import { findApp, type InstanceIndex } from './instance-tree.ts';
import {
  hasProcessTable,
  isAlive,
  type ProcessIdentity,
  type ProcessTable,
  readBootId,
  readProcessTable,
} from './process-table.ts';
import type { SlotRecord } from './record.ts';
import { wasStartedWith } from './without-proc.ts';

/** A shim takes a moment from the daemon's word, or its silence, to what it does next. */
const SHIM_WAIT_MS = 1_000;
const SHIM_LOOK_MS = 2;

/**
 * Brings a record left by an earlier life up to date with what is there now. A process is the one
 * we started if its id, its start time and the machine's boot are the same and it has not ended.
 */
export function adopt(
  record: SlotRecord,
  exitFile: string,
  index: InstanceIndex,
  nowMs: number,
): SlotRecord {
  if (record.bootId !== readBootId()) {
    // Ids and start times of another boot name other processes in this one.
    const exit = record.exit ?? unknownExit('ended when the machine was restarted', nowMs);
    return { ...record, shim: null, app: null, exit };
  }
  if (record.exit !== null) return record;
  const shim = record.shim ?? findShim(record.spec.id, readProcessTable(), index);
  const app = record.app ?? findApp(shim);
  if (!hasProcessTable && shim !== null && !wasStartedWith(shim.pid, exitFile)) {
    return { ...record, exit: unknownExit('ended while nobody was watching', nowMs) };
  }
  return { ...record, shim, app };
}

/**
 * Whether the program of an adopted slot was never let go: the daemon died just before it would have
 * been, and its shim with it. That says nothing of the program.
 *
 * A shim that is still there is about to start it or to end, and is waited for.
 */
export async function wasNeverStarted(
  record: SlotRecord,
  exitFile: string,
  clock: Clock,
): Promise<boolean> {
  if (!hasProcessTable) return false;
  const deadlineMs = clock.monotonic() + SHIM_WAIT_MS;
  while (record.exit === null && record.app === null && readExitFile(exitFile) === null) {
    if (!isAlive(record.shim)) return readExitFile(exitFile) === null;
    if (clock.monotonic() > deadlineMs) return false;
    await clock.sleep(SHIM_LOOK_MS);
    record.app = findApp(record.shim);
  }
  return false;
}

/** A shim that was spawned but not yet written down: it leads its session and carries the id. */
function findShim(
  instance: string,
  table: ProcessTable,
  index: InstanceIndex,
): ProcessIdentity | null {
  for (const entry of table.values()) {
    if (entry.pid !== entry.session || entry.zombie) continue;
    if (index.instanceOf(entry) !== instance) continue;
    return { pid: entry.pid, startTicks: entry.startTicks };
  }
  return null;
}
