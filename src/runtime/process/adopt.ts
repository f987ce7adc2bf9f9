import { unknownExit } from './exit.ts';
import type { InstanceIndex } from './instance-tree.ts';
import { findApp } from './launch.ts';
import {
  hasProcessTable,
  type ProcessIdentity,
  type ProcessTable,
  readBootId,
  readProcessTable,
} from './process-table.ts';
import type { SlotRecord } from './record.ts';
import { wasStartedWith } from './without-proc.ts';

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
  if (record.exit !== null) return record;
  if (record.bootId !== readBootId()) {
    return { ...record, exit: unknownExit('ended when the machine was restarted', nowMs) };
  }
  const shim = record.shim ?? findShim(record.spec.id, readProcessTable(), index);
  const app = record.app ?? findApp(shim);
  if (!hasProcessTable && shim !== null && !wasStartedWith(shim.pid, exitFile)) {
    return { ...record, exit: unknownExit('ended while nobody was watching', nowMs) };
  }
  return { ...record, shim, app };
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
