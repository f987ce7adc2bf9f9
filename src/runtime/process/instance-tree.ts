import {
  isAlive,
  type ProcessEntry,
  type ProcessIdentity,
  type ProcessTable,
  readEnvironment,
  readProcess,
  readProcessIds,
} from './process-table.ts';

/**
 * Which processes belong to an instance, however far they ran: what is in its session or group,
 * what descends from it, and what carries its id in the environment.
 */

export interface TreeRoots {
  instance: string;
  /** The shim: leader of the instance's own session and process group. */
  shim: ProcessIdentity | null;
  /** Every process known to belong to it so far, the shim and the app among them. */
  known: readonly ProcessIdentity[];
}

/** Remembers what each process's environment says, so that it is read once in its life. */
export interface InstanceIndex {
  instanceOf(entry: ProcessEntry): string | null;
  /** Forgets processes that are gone. */
  prune(table: ProcessTable): void;
}

export function instanceIndex(): InstanceIndex {
  const seen = new Map<number, { startTicks: number; instance: string | null }>();
  const wasEmpty = new Set<number>();
  return {
    instanceOf(entry) {
      const held = seen.get(entry.pid);
      if (held && held.startTicks === entry.startTicks) return held.instance;
      const environment = readEnvironment(entry.pid);
      const line = environment.find((each) => each.startsWith(INSTANCE_PREFIX));
      const instance = line?.slice(INSTANCE_PREFIX.length) ?? null;
      // The kernel shows nothing in the midst of an exec: what was empty is read once more.
      const isSure = environment.some((each) => each !== '') || wasEmpty.has(entry.pid);
      if (isSure) seen.set(entry.pid, { startTicks: entry.startTicks, instance });
      if (isSure) wasEmpty.delete(entry.pid);
      else wasEmpty.add(entry.pid);
      return instance;
    },
    prune(table) {
      for (const pid of seen.keys()) if (!table.has(pid)) seen.delete(pid);
      for (const pid of wasEmpty) if (!table.has(pid)) wasEmpty.delete(pid);
    },
  };
}

const INSTANCE_PREFIX = 'BELAY_INSTANCE=';

/** The living processes of an instance. Never this one, even if an instance started it. */
export function findTree(
  roots: TreeRoots,
  table: ProcessTable,
  index: InstanceIndex,
): ProcessEntry[] {
  const kin = kinshipOf(table, index);
  const members = new Set(kin.byInstance.get(roots.instance) ?? []);
  for (const { pid, startTicks } of roots.known) {
    const entry = table.get(pid);
    if (entry && entry.startTicks === startTicks) members.add(entry);
  }
  addSession(roots.shim, members, kin);
  // A set that grows while it is walked is walked to its new end.
  for (const entry of members) {
    if (entry.pid === process.pid) continue;
    for (const child of kin.byParent.get(entry.pid) ?? []) members.add(child);
  }
  return [...members].filter((entry) => !entry.zombie && entry.pid !== process.pid);
}

/**
 * A session's number is free again when its last process has gone, so it counts as ours only while
 * a process that is known to be ours is in it.
 */
function addSession(shim: ProcessIdentity | null, members: Set<ProcessEntry>, kin: Kinship): void {
  if (shim === null) return;
  const { pid } = shim;
  if (![...members].some((entry) => entry.session === pid || entry.group === pid)) return;
  for (const entry of kin.bySession.get(pid) ?? []) members.add(entry);
  for (const entry of kin.byGroup.get(pid) ?? []) members.add(entry);
}

/** A table sorted by what makes processes belong together: once, for all instances. */
interface Kinship {
  byInstance: ReadonlyMap<string | null, ProcessEntry[]>;
  bySession: ReadonlyMap<number, ProcessEntry[]>;
  byGroup: ReadonlyMap<number, ProcessEntry[]>;
  byParent: ReadonlyMap<number, ProcessEntry[]>;
}

const kinships = new WeakMap<ProcessTable, Kinship>();

function kinshipOf(table: ProcessTable, index: InstanceIndex): Kinship {
  const known = kinships.get(table);
  if (known) return known;
  const entries = [...table.values()];
  const kin = {
    byInstance: Map.groupBy(entries, (entry) => index.instanceOf(entry)),
    bySession: Map.groupBy(entries, (entry) => entry.session),
    byGroup: Map.groupBy(entries, (entry) => entry.group),
    byParent: Map.groupBy(entries, (entry) => entry.parent),
  };
  kinships.set(table, kin);
  return kin;
}

/** The app's own process is the one child of the shim, most likely the next that was born. */
export function findApp(shim: ProcessIdentity | null): ProcessIdentity | null {
  if (shim === null || !isAlive(shim)) return null;
  const pids = readProcessIds();
  const bornLater = pids.filter((pid) => pid > shim.pid);
  const others = pids.filter((pid) => pid < shim.pid);
  for (const pid of [...bornLater, ...others]) {
    const entry = readProcess(pid);
    if (entry?.parent === shim.pid) return { pid, startTicks: entry.startTicks };
  }
  return null;
}
