import type { Clock } from '../../kernel/clock.ts';
import { Fault, messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import type { ControlGroups } from './cgroup.ts';
import type { HeldSlot } from './held-slot.ts';
import type { Ports } from './ports.ts';
import type { SlotRecords } from './record.ts';
import { type Condemned, killTree, terminate } from './terminate.ts';
import type { Trees } from './trees.ts';

/** Ends instances: those that are to be forgotten, and those that have gone beyond their limits. */
export interface Removals {
  /** Ends the instance, frees what it held and forgets the slot. Asked again, the earlier wins. */
  remove(held: HeldSlot, graceMs: number): Promise<void>;
  /** The removal of this slot that is under way. */
  under(id: string): Promise<void> | undefined;
  /** Ends an instance for a cause; its slot stays, exited, until it is removed. */
  stop(held: HeldSlot, cause: string): void;
  /** Resolves when nothing is being ended any more. Call it when `closing` has been aborted. */
  close(): Promise<void>;
}

export interface RemovalParts {
  clock: Clock;
  log: Log;
  slots: Map<string, HeldSlot>;
  trees: Trees;
  groups: ControlGroups;
  records: SlotRecords;
  ports: Ports;
  closing: AbortSignal;
  /** A slot is gone. */
  removed(): void;
  /** An instance that was stopped has ended. */
  stopped(): void;
}

const GROUP_PERIOD_MS = 5;
const GROUP_TRIES = 200;

export function removals(parts: RemovalParts): Removals {
  const { clock, log, slots, trees, groups, records, ports, closing } = parts;
  const removing = new Map<string, { deadlineMs: number; done: Promise<void> }>();
  const stopping = new Set<Promise<void>>();

  async function end(held: HeldSlot, deadlineMs: () => number): Promise<void> {
    const { id } = held.record.spec;
    await terminate(condemned(held), clock, deadlineMs, closing);
    await removeGroups(held);
    if (closing.aborted) throw runtimeClosed(id);
    // Out of sight first: a look in between would write the record anew.
    slots.delete(id);
    ports.free(held.record.port);
    await records.remove(id);
    parts.removed();
  }

  /** A group can be removed once the kernel has let go of the last process in it. */
  async function removeGroups(held: HeldSlot): Promise<void> {
    for (let tries = 0; tries < GROUP_TRIES && !closing.aborted; tries += 1) {
      if (groups.remove(held.record.cgroups)) return;
      await clock.sleep(GROUP_PERIOD_MS, closing);
    }
  }

  async function carryOut(held: HeldSlot, cause: string): Promise<void> {
    const instance = held.record.spec.id;
    log.warn({ instance, cause }, 'stopped an instance');
    held.record.sentence = cause;
    try {
      await records.write(held.record);
    } catch (thrown) {
      log.warn({ instance, error: messageOf(thrown) }, 'record not written');
    }
    try {
      await killTree(condemned(held), clock, closing);
    } catch (thrown) {
      log.error({ instance, error: messageOf(thrown) }, 'could not stop it');
    }
    parts.stopped();
  }

  const condemned = (held: HeldSlot): Condemned => ({
    instance: held.record.spec.id,
    shim: held.record.shim,
    tree: () => trees.find(held),
  });

  return {
    remove(held, graceMs) {
      const { id } = held.record.spec;
      const deadlineMs = clock.monotonic() + graceMs;
      const under = removing.get(id);
      if (under) {
        under.deadlineMs = Math.min(under.deadlineMs, deadlineMs);
        return under.done;
      }
      const removal = { deadlineMs, done: Promise.resolve() };
      removing.set(id, removal);
      removal.done = end(held, () => removal.deadlineMs).finally(() => removing.delete(id));
      return removal.done;
    },
    under: (id) => removing.get(id)?.done,
    stop(held, cause) {
      const carried = carryOut(held, cause).finally(() => stopping.delete(carried));
      stopping.add(carried);
    },
    async close() {
      await Promise.allSettled([...Array.from(removing.values(), ({ done }) => done), ...stopping]);
    },
  };
}

export function runtimeClosed(id: string): Fault {
  return new Fault({
    code: 'runtime-closed',
    message: `the runtime was closed before ${id} had come or gone`,
    subject: id,
    retryable: true,
  });
}
