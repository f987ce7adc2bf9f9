import type { Clock } from '../../kernel/clock.ts';
import type { HeldSlot } from './held-slot.ts';
import { canBind } from './ports.ts';
import type { ProcessEntry } from './process-table.ts';
import { hasProcessTable } from './process-table.ts';
import { holdsSocket, type ListeningSockets, readListeningSockets } from './sockets.ts';

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
 * and /proc/net/tcp costs milliseconds, because the kernel walks the whole table for it.
 */
const SETTLED_PERIOD_MS = 2_000;
/** On a machine with very many connections reading the table takes long: at most a tenth of time. */
const COST_FACTOR = 10;

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
      const sockets = readListeningSockets();
      let changed = false;
      for (const held of running) {
        const socket = ownSocket(held, sockets, treeOf);
        if ((socket === null) !== (held.socket === null)) changed = true;
        held.socket = socket;
      }
      restUntilMs = now + (clock.monotonic() - now) * COST_FACTOR;
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
        void canBind(held.record.port).then((free) => {
          held.socket = free ? null : 'unverified';
        });
      }
      return changed;
    },
  };
}

/** A socket once found to be the slot's own stays so: it can only be passed on within the tree. */
function ownSocket(
  held: HeldSlot,
  sockets: ListeningSockets,
  treeOf: (held: HeldSlot) => ProcessEntry[],
): string | null {
  const open = sockets.get(held.record.port) ?? [];
  if (held.socket !== null && open.includes(held.socket)) return held.socket;
  if (open.length === 0) return null;
  const app = held.record.app;
  const own = app === null ? undefined : open.find((inode) => holdsSocket([app.pid], inode));
  if (own !== undefined) return own;
  const pids = treeOf(held).map((entry) => entry.pid);
  return open.find((inode) => holdsSocket(pids, inode)) ?? null;
}
