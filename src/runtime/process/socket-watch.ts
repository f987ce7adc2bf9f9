import type { Clock } from '../../kernel/clock.ts';
import type { HeldSlot } from './held-slot.ts';
import { canBind } from './ports.ts';
import type { ProcessEntry } from './process-table.ts';
import { hasProcessTable } from './process-table.ts';
import { holdsSocket, readListeningSockets } from './sockets.ts';

/**
 * Finds which slots listen. A port that is open counts only when the socket belongs to the
 * instance's own processes: another program may hold the port while ours fails to get it.
 */
export interface SocketWatch {
  /** Reads the sockets once for all slots, if it is time to. Returns whether anything changed. */
  look(running: readonly HeldSlot[], treeOf: (held: HeldSlot) => ProcessEntry[]): boolean;
}

/**
 * How soon a socket that was closed by a running program is missed. The edge's checks miss it too,
 * and with few sockets the kernel walks its whole table to say so, which takes milliseconds.
 */
const SETTLED_PERIOD_MS = 2_000;
/** Looking may take a tenth of the time while an instance comes up, a hundredth when all are up. */
const STARTING_COST_FACTOR = 10;
const SETTLED_COST_FACTOR = 100;

export function socketWatch(clock: Clock): SocketWatch {
  let settledUntilMs = 0;
  let restUntilMs = 0;
  // Without /proc an open port is all that can be seen, whoever opened it.
  if (!hasProcessTable) return watchByBinding();
  return {
    look(running, treeOf) {
      const now = clock.monotonic();
      const settled = running.every((held) => held.socket !== null);
      if (running.length === 0 || now < restUntilMs || (settled && now < settledUntilMs)) {
        return false;
      }
      const found = findSockets(running, treeOf);
      let changed = false;
      for (const held of running) {
        const socket = found.get(held) ?? null;
        if ((socket === null) !== (held.socket === null)) changed = true;
        held.socket = socket;
      }
      const costFactor = settled ? SETTLED_COST_FACTOR : STARTING_COST_FACTOR;
      restUntilMs = now + (clock.monotonic() - now) * costFactor;
      settledUntilMs = now + SETTLED_PERIOD_MS;
      return changed;
    },
  };
}

/** Tells of a change one look late, because binding takes a turn of the event loop. */
function watchByBinding(): SocketWatch {
  const told = new WeakMap<HeldSlot, string | null>();
  return {
    look(running) {
      let changed = false;
      for (const held of running) {
        if ((told.get(held) ?? null) !== held.socket) changed = true;
        told.set(held, held.socket);
        canBind(held.record.port).then(
          (free) => {
            held.socket = free ? null : 'unverified';
          },
          // What cannot be looked at now stays as it was.
          () => {},
        );
      }
      return changed;
    },
  };
}

/**
 * Looks through IPv4 first, because most listen there, and goes on only for those it has not found.
 * A socket that was there before is looked for once more before it counts as closed: the table is
 * read in pieces, and what changes in between can hide a line.
 */
function findSockets(
  running: readonly HeldSlot[],
  treeOf: (held: HeldSlot) => ProcessEntry[],
): ReadonlyMap<HeldSlot, string> {
  const found = new Map<HeldSlot, string>();
  const look = (family: 'tcp' | 'tcp6', wanted: readonly HeldSlot[]): void => {
    if (wanted.length === 0) return;
    const sockets = readListeningSockets(family);
    for (const held of wanted) {
      const socket = ownSocket(held, sockets.get(held.record.port) ?? [], treeOf);
      if (socket !== null) found.set(held, socket);
    }
  };
  const missing = () => running.filter((held) => !found.has(held));
  const lost = () => missing().filter((held) => held.socket !== null);
  look('tcp', running);
  look('tcp6', missing());
  look('tcp', lost());
  look('tcp6', lost());
  return found;
}

/** A socket once found to be the slot's own stays so: it can only be passed on within the tree. */
function ownSocket(
  held: HeldSlot,
  open: readonly string[],
  treeOf: (held: HeldSlot) => ProcessEntry[],
): string | null {
  if (held.socket !== null && open.includes(held.socket)) return held.socket;
  if (open.length === 0) return null;
  const app = held.record.app;
  const own = app === null ? undefined : open.find((inode) => holdsSocket([app.pid], inode));
  if (own !== undefined) return own;
  const pids = treeOf(held).map((entry) => entry.pid);
  return open.find((inode) => holdsSocket(pids, inode)) ?? null;
}
