import { join } from 'node:path';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { Fault, messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import { parseName } from '../../model/name.ts';
import type { Runtime, SlotSpec } from '../driver.ts';
import { adopt, wasNeverStarted } from './adopt.ts';
import { type ControlGroups, controlGroups } from './cgroup.ts';
import { type HeldSlot, observeExit, toSlot, treeOf } from './held-slot.ts';
import { instanceIndex } from './instance-tree.ts';
import { type Launcher, launch, logPathOf } from './launch.ts';
import { logBound } from './log-bound.ts';
import { findLog, followLog, tailLog } from './log-file.ts';
import { createPorts, type PortRange } from './ports.ts';
import { hasProcessTable, readPageBytes, readProcessTable } from './process-table.ts';
import { type SlotRecord, slotRecords } from './record.ts';
import { socketWatch } from './socket-watch.ts';
import { supervision } from './supervision.ts';
import { type Condemned, killTree, terminate } from './terminate.ts';
import { usageMeter } from './usage.ts';

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

/** While an instance is coming up its port is looked at this often. */
const STARTING_PERIOD_MS = 20;
/** Nobody tells us of the end of a process that is not our child. */
const ADOPTED_PERIOD_MS = 100;
const RESTING_PERIOD_MS = 250;
/** One that has not listened by then may never do. */
const STARTING_MS = 60_000;
const GROUP_PERIOD_MS = 5;
const GROUP_TRIES = 200;

/** Instances as processes of this machine, with nothing to install. */
export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  const { home, clock, log } = options;
  const logs = join(home, 'logs');
  const logMaxBytes = options.logMaxBytes ?? DEFAULT_LOG_MAX_BYTES;
  const records = slotRecords(join(home, 'run'));
  const ports = createPorts(clock, options.portRange);
  const groups: ControlGroups = controlGroups();
  const index = instanceIndex();
  const bound = logBound({ maxBytes: logMaxBytes, keepBytes: Math.floor(logMaxBytes / 2), log });
  const sockets = socketWatch(clock);
  const pageBytes = readPageBytes();

  const slots = new Map<string, HeldSlot>();
  const launching = new Map<string, Promise<HeldSlot>>();
  const removing = new Map<string, { deadlineMs: number; done: Promise<void> }>();
  const sentencing = new Set<Promise<void>>();
  const listeners = new Set<() => void>();
  const closing = new AbortController();
  let tickTimer: Timer | null = null;
  let sampleTimer: Timer | null = null;
  let sampling: Promise<void> | null = null;

  const runtime: Runtime = {
    capabilities: { name: 'process', adopts: true, logs: true },

    async start() {
      if (!hasProcessTable) warnOfDegradation();
      for (const { id, record } of await records.readAll()) {
        if (record === null) await records.remove(id);
        else await takeOver(record);
      }
      sampleTimer = clock.every(options.samplePeriodMs ?? DEFAULT_SAMPLE_PERIOD_MS, () => {
        sampling ??= sample().finally(() => {
          sampling = null;
        });
      });
      observe();
    },

    async ensure(spec) {
      for (const what of ['id', 'application', 'environment'] as const) {
        parseName(what === 'id' ? 'instance' : what, spec[what]);
      }
      const leaving = removing.get(spec.id);
      if (leaving) await leaving.done;
      const held = slots.get(spec.id) ?? (await begin(spec));
      observe();
      return toSlot(held);
    },

    async remove(id, graceMs) {
      const coming = launching.get(id);
      if (coming) await coming.catch(() => {});
      const deadlineMs = clock.monotonic() + graceMs;
      const under = removing.get(id);
      if (under) {
        under.deadlineMs = Math.min(under.deadlineMs, deadlineMs);
        return under.done;
      }
      const held = slots.get(id);
      if (held === undefined) return;
      const removal = { deadlineMs, done: Promise.resolve() };
      removing.set(id, removal);
      removal.done = end(held, () => removal.deadlineMs).finally(() => removing.delete(id));
      return removal.done;
    },

    async list() {
      observe();
      return [...slots.values()].map(toSlot);
    },

    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    async logs(id, { tail }) {
      const path = await pathOfLog(id);
      return path === null ? [] : tailLog(path, tail);
    },

    async *follow(id, signal) {
      const path = await pathOfLog(id);
      if (path !== null) yield* followLog(path, clock, AbortSignal.any([signal, closing.signal]));
    },

    async close() {
      closing.abort();
      tickTimer?.cancel();
      sampleTimer?.cancel();
      listeners.clear();
      await Promise.allSettled([
        ...launching.values(),
        ...[...removing.values()].map((removal) => removal.done),
        ...sentencing,
        sampling,
      ]);
    },
  };

  const launcher: Launcher = {
    clock,
    ports,
    records,
    groups,
    useGroups: options.limits !== 'watched',
    logs,
    hold,
    ended: () => {
      if (!closing.signal.aborted) observe();
    },
  };

  function hold(record: SlotRecord, logPath: string, parented: boolean): HeldSlot {
    return {
      record,
      logPath,
      exitFile: records.exitFile(record.spec.id),
      known: [],
      shimEnd: null,
      parented,
      seen: parented,
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

  async function begin(spec: SlotSpec): Promise<HeldSlot> {
    const under = launching.get(spec.id);
    if (under) return under;
    const started = launch(launcher, spec).then((held) => {
      slots.set(spec.id, held);
      notify();
      return held;
    });
    launching.set(spec.id, started);
    return started.finally(() => launching.delete(spec.id));
  }

  async function takeOver(record: SlotRecord): Promise<void> {
    const { id } = record.spec;
    const adopted = adopt(record, records.exitFile(id), index, clock.now());
    if (await wasNeverStarted(adopted, records.exitFile(id), clock)) {
      groups.remove(adopted.cgroups);
      await records.remove(id);
      log.info({ instance: id }, 'forgot a slot whose program was never started');
      return;
    }
    ports.hold(adopted.port);
    slots.set(id, hold(adopted, logPathOf(logs, adopted.spec), false));
    await records.write(adopted);
    log.info({ instance: id, pid: adopted.app?.pid }, 'adopted a slot');
  }

  /** Looks at every slot and tells what has changed; then sets when to look again. */
  function observe(): void {
    if (closing.signal.aborted) return;
    const running = [...slots.values()].filter((held) => held.record.exit === null);
    let changed = false;
    for (const held of running) changed = observeEnd(held) || changed;
    changed =
      sockets.look(running, (held) => treeOf(held, readProcessTable(), index, groups)) || changed;
    if (changed) notify();
    tickTimer?.cancel();
    const periodMs = nextLookMs();
    tickTimer = periodMs === null ? null : clock.after(periodMs, observe);
  }

  function observeEnd(held: HeldSlot): boolean {
    const exit = observeExit(held, groups, clock.now());
    if (exit === null) return false;
    held.record.exit = exit;
    held.socket = null;
    save(held);
    return true;
  }

  function nextLookMs(): number | null {
    const running = [...slots.values()].filter((held) => held.record.exit === null);
    if (running.length === 0) return null;
    const isStarting = (held: HeldSlot) =>
      held.socket === null && clock.now() - held.record.startedAt < STARTING_MS;
    if (running.some((held) => isStarting(held) || held.missedAtMs !== null)) {
      return STARTING_PERIOD_MS;
    }
    return running.every((held) => held.parented) ? RESTING_PERIOD_MS : ADOPTED_PERIOD_MS;
  }

  /** Measures every slot, bounds its log, and stops what goes beyond its limits. */
  async function sample(): Promise<void> {
    if (slots.size === 0) return;
    const table = readProcessTable();
    index.prune(table);
    for (const held of slots.values()) {
      const atMs = clock.monotonic();
      const logBytes = await bound.apply(held.logPath).catch(() => 0);
      if (held.record.exit !== null) continue;
      held.usage = held.meter.sample(treeOf(held, table, index, groups), atMs);
      const cause = held.supervision.judge({ atMs, logBytes, rssBytes: held.usage.rssBytes });
      if (cause === null || held.record.sentence !== null) continue;
      const carried = stop(held, cause).finally(() => sentencing.delete(carried));
      sentencing.add(carried);
    }
  }

  /** Ends an instance for a cause; its slot stays, exited, until it is removed. */
  async function stop(held: HeldSlot, cause: string): Promise<void> {
    log.warn({ instance: held.record.spec.id, cause }, 'stopped an instance');
    held.record.sentence = cause;
    save(held);
    await killTree(condemn(held), clock, closing.signal).catch((thrown) => {
      log.error({ instance: held.record.spec.id, error: messageOf(thrown) }, 'could not stop it');
    });
    observe();
  }

  async function end(held: HeldSlot, deadlineMs: () => number): Promise<void> {
    const { id } = held.record.spec;
    await terminate(condemn(held), clock, deadlineMs, closing.signal);
    await removeGroups(held);
    if (closing.signal.aborted) throw runtimeClosed(id);
    // Out of sight first: an observation in between would write the record anew.
    slots.delete(id);
    await records.remove(id);
    ports.free(held.record.port);
    notify();
  }

  /** A group can be removed once the kernel has let go of the last process in it. */
  async function removeGroups(held: HeldSlot): Promise<void> {
    for (let tries = 0; tries < GROUP_TRIES && !closing.signal.aborted; tries += 1) {
      if (groups.remove(held.record.cgroups)) return;
      await clock.sleep(GROUP_PERIOD_MS, closing.signal);
    }
  }

  function condemn(held: HeldSlot): Condemned {
    const { spec, shim, app } = held.record;
    const tree = () => treeOf(held, readProcessTable(), index, groups);
    return { instance: spec.id, shim, app, tree };
  }

  async function pathOfLog(id: string): Promise<string | null> {
    return slots.get(id)?.logPath ?? findLog(logs, parseName('instance', id));
  }

  function save(held: HeldSlot): void {
    records.write(held.record).catch((thrown) => {
      log.warn({ instance: held.record.spec.id, error: messageOf(thrown) }, 'record not written');
    });
  }

  function notify(): void {
    for (const listener of listeners) listener();
  }

  function warnOfDegradation(): void {
    log.warn(
      { platform: process.platform },
      'without /proc: usage is not measured, limits are not held, the owner of a port is not checked, and what leaves its process group is not found',
    );
  }

  return runtime;
}

function runtimeClosed(id: string): Fault {
  return new Fault({
    code: 'runtime-closed',
    message: `the runtime was closed before ${id} had ended`,
    subject: id,
    retryable: true,
  });
}
