import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import { parseName } from '../../model/name.ts';
import type { Runtime, SlotSpec } from '../driver.ts';
import { adopt, wasNeverStarted } from './adopt.ts';
import { controlGroups } from './cgroup.ts';
import { type HeldSlot, toSlot } from './held-slot.ts';
import { type Launcher, launch, logPathOf } from './launch.ts';
import { logBound } from './log-bound.ts';
import { findLog, followLog, tailLog } from './log-file.ts';
import { createPorts, type PortRange } from './ports.ts';
import { hasProcessTable, readPageBytes } from './process-table.ts';
import { type SlotRecord, slotRecords } from './record.ts';
import { removals, runtimeClosed } from './removal.ts';
import { sampling } from './sampling.ts';
import { endStray } from './stray.ts';
import { supervision } from './supervision.ts';
import { createTrees } from './trees.ts';
import { usageMeter } from './usage.ts';
import { watchLoop } from './watch-loop.ts';

const MEGABYTE = 1024 * 1024;

export interface ProcessRuntimeOptions {
  /** $BELAY_HOME: `run/` and `logs/` are made in it. */
  home: string;
  clock: Clock;
  log: Log;
  portRange?: PortRange;
  /** A log that takes more on disk loses its front. */
  logMaxBytes?: number;
  /** An instance that writes faster, sample after sample, is stopped. */
  floodBytesPerSecond?: number;
  /** Between two samples of processor, memory and log. */
  samplePeriodMs?: number;
  /** `watched` leaves the kernel's control groups alone. */
  limits?: 'cgroup' | 'watched';
}

const DEFAULT_LOG_MAX_BYTES = 64 * MEGABYTE;
const DEFAULT_FLOOD_BYTES_PER_SECOND = 20 * MEGABYTE;
const DEFAULT_SAMPLE_PERIOD_MS = 1_000;
/** Samples in a row that condemn an instance. */
const STRIKES = 3;

/** Instances as processes of this machine, with nothing to install. */
export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  const { home, clock, log } = options;
  const logs = join(home, 'logs');
  const logMaxBytes = options.logMaxBytes ?? DEFAULT_LOG_MAX_BYTES;
  const bound = logBound({ maxBytes: logMaxBytes, keepBytes: Math.floor(logMaxBytes / 2), log });
  const records = slotRecords(join(home, 'run'));
  const ports = createPorts(clock, options.portRange);
  const groups = controlGroups();
  const trees = createTrees(groups);
  const pageBytes = readPageBytes();

  const slots = new Map<string, HeldSlot>();
  const launching = new Map<string, Promise<HeldSlot>>();
  const ending = new AbortController();
  const closing = ending.signal;

  const loop = watchLoop({ clock, log, slots, groups, trees, save });
  const leaving = removals({
    ...{ clock, log, slots, trees, groups, records, ports, closing },
    removed: loop.notify,
    stopped: loop.look,
  });
  const samples = sampling({ clock, log, slots, trees, bound, condemn: leaving.stop });
  const launcher: Launcher = {
    ...{ clock, ports, records, groups, logs, save, hold },
    useGroups: options.limits !== 'watched',
    ended: loop.look,
  };

  function hold(record: SlotRecord, logPath: string, parented: boolean): HeldSlot {
    return {
      record,
      logPath,
      exitFile: records.exitFile(record.spec.id),
      bootstrapFile: records.bootstrapFile(record.spec.id),
      bootstrapMs: null,
      known: [],
      shimEnd: null,
      parented,
      seen: parented,
      sinceMs: clock.monotonic(),
      socket: null,
      missedAtMs: null,
      usage: null,
      meter: usageMeter(pageBytes),
      supervision: supervision({
        floodBytesPerSecond: options.floodBytesPerSecond ?? DEFAULT_FLOOD_BYTES_PER_SECOND,
        strikes: STRIKES,
        memoryBytes: record.limit === 'cgroup' ? null : record.spec.limits.memoryBytes,
      }),
    };
  }

  function begin(spec: SlotSpec): Promise<HeldSlot> {
    const under = launching.get(spec.id);
    if (under) return under;
    const started = launch(launcher, spec)
      .then((held) => {
        slots.set(spec.id, held);
        loop.notify();
        return held;
      })
      .finally(() => launching.delete(spec.id));
    launching.set(spec.id, started);
    return started;
  }

  async function takeOver(record: SlotRecord): Promise<void> {
    const { id } = record.spec;
    const adopted = adopt(record, records.exitFile(id), trees.index, clock.now());
    if (await wasNeverStarted(adopted, records.exitFile(id), clock)) {
      return forget(id, adopted.cgroups, 'its program was never started');
    }
    ports.hold(adopted.port);
    slots.set(id, hold(adopted, logPathOf(logs, adopted.spec), false));
    save(adopted);
    log.info({ instance: id, pid: adopted.app?.pid }, 'adopted a slot');
  }

  /** Nothing of such a slot may go on, because nothing would be known of it. */
  async function forget(id: string, cgroups: readonly string[], reason: string): Promise<void> {
    await endStray(id, trees.index, clock, closing);
    groups.remove(cgroups);
    await records.remove(id);
    log.info({ instance: id, reason }, 'forgot a slot');
  }

  async function pathOfLog(id: string): Promise<string | null> {
    return slots.get(id)?.logPath ?? findLog(logs, parseName('instance', id));
  }

  function save(record: SlotRecord): void {
    records.write(record).catch((thrown) => {
      log.warn({ instance: record.spec.id, error: messageOf(thrown) }, 'record not written');
    });
  }

  return {
    capabilities: { name: 'process', adopts: true, logs: true },

    async start() {
      if (!hasProcessTable) warnOfDegradation(log);
      for (const { id, record } of await records.readAll()) {
        if (record === null) await forget(id, [], 'its record says nothing');
        else await takeOver(record);
      }
      samples.start(options.samplePeriodMs ?? DEFAULT_SAMPLE_PERIOD_MS);
      loop.look();
    },

    async ensure(spec) {
      parseName('instance', spec.id);
      parseName('application', spec.application);
      parseName('environment', spec.environment);
      // Waits only for what is there, so that calls take effect in their order.
      const before = leaving.under(spec.id);
      if (before) await before;
      if (closing.aborted) throw runtimeClosed(spec.id);
      const held = slots.get(spec.id) ?? (await begin(spec));
      loop.look();
      return toSlot(held);
    },

    async remove(id, graceMs) {
      const coming = launching.get(id);
      if (coming) await coming.catch(() => {});
      const held = slots.get(id);
      if (!held) return;
      await leaving.remove(held, graceMs);
      // What it wrote since the last sample stays on the disk as long as its log.
      await bound.apply(held.logPath).catch(() => 0);
    },

    async list() {
      loop.look();
      return [...slots.values()].map(toSlot);
    },

    watch: loop.watch,

    async logs(id, { tail }) {
      const path = await pathOfLog(id);
      return path === null ? [] : tailLog(path, tail);
    },

    async *follow(id, signal) {
      const path = await pathOfLog(id);
      if (path !== null) yield* followLog(path, clock, AbortSignal.any([signal, closing]));
    },

    async close() {
      ending.abort();
      loop.close();
      await Promise.allSettled(launching.values());
      await Promise.all([leaving.close(), samples.close()]);
      await records.settled();
    },
  };
}

function warnOfDegradation(log: Log): void {
  log.warn(
    { platform: process.platform },
    'without /proc: usage is not measured, limits are not held, the owner of a port is not checked, and what leaves its process group is not found',
  );
}
