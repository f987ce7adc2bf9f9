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
  const known = new Map(roots.known.map(({ pid, startTicks }) => [pid, startTicks]));
  const members = new Map<number, ProcessEntry>();
  for (const entry of table.values()) {
    const ours = known.get(entry.pid) === entry.startTicks;
    if (ours || index.instanceOf(entry) === roots.instance) members.set(entry.pid, entry);
  }
  addSession(roots.shim, members, table);
  addDescendants(members, table);
  return [...members.values()].filter((entry) => !entry.zombie && entry.pid !== process.pid);
}

/**
 * A session's number is free again when its last process has gone, so it counts as ours only while
 * a process that is known to be ours is in it.
 */
function addSession(
  shim: ProcessIdentity | null,
  members: Map<number, ProcessEntry>,
  table: ProcessTable,
): void {
  if (shim === null) return;
  const inSession = (entry: ProcessEntry) => entry.session === shim.pid || entry.group === shim.pid;
  if (![...members.values()].some(inSession)) return;
  for (const entry of table.values()) if (inSession(entry)) members.set(entry.pid, entry);
}

function addDescendants(members: Map<number, ProcessEntry>, table: ProcessTable): void {
  for (let grew = true; grew; ) {
    grew = false;
    for (const entry of table.values()) {
      if (members.has(entry.pid) || !members.has(entry.parent)) continue;
      if (entry.parent === process.pid) continue;
      members.set(entry.pid, entry);
      grew = true;
    }
  }
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
