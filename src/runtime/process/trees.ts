import type { ControlGroups } from './cgroup.ts';
import type { HeldSlot } from './held-slot.ts';
import { findTree, type InstanceIndex, instanceIndex } from './instance-tree.ts';
import {
  hasProcessTable,
  type ProcessEntry,
  type ProcessTable,
  readProcessTable,
} from './process-table.ts';
import { groupAsTree } from './without-proc.ts';

/** Finds the living processes of slots, and remembers with each slot what was found. */
export interface Trees {
  readonly index: InstanceIndex;
  /** @param table read just now: an older one would make a slot forget its newest processes */
  find(held: HeldSlot, table?: ProcessTable): ProcessEntry[];
}

export function createTrees(groups: ControlGroups): Trees {
  const index = instanceIndex();
  return {
    index,
    find(held, table = readProcessTable()) {
      const { spec, shim, app, cgroups } = held.record;
      if (!hasProcessTable) return groupAsTree(shim);
      const inside = groups.members(cgroups).flatMap((pid) => table.get(pid) ?? []);
      const known = [...held.known, ...inside];
      for (const identity of [shim, app]) if (identity) known.push(identity);
      const tree = findTree({ instance: spec.id, shim, known }, table, index);
      held.known = tree.map(({ pid, startTicks }) => ({ pid, startTicks }));
      return tree;
    },
  };
}
