import type { Clock } from '../../kernel/clock.ts';
import type { Exit } from '../../model/instance.ts';
import type { Slot, SlotUsage } from '../driver.ts';
import { readBootstrapMs } from './bootstrap.ts';
import type { ControlGroups } from './cgroup.ts';
import { INSTANCE_HOST } from './environment.ts';
import { exitOf, readExitFile, unknownExit } from './exit.ts';
import { findApp } from './instance-tree.ts';
import { hasProcessTable, isAlive, type ProcessIdentity } from './process-table.ts';
import type { SlotRecord } from './record.ts';
import { megabytes, type Supervision } from './supervision.ts';
import type { UsageMeter } from './usage.ts';

/** A slot as the runtime holds it: what is on disk, and what has been seen since. */
export interface HeldSlot {
  record: SlotRecord;
  readonly logPath: string;
  readonly exitFile: string;
  readonly bootstrapFile: string;
  /** Null while it has not been seen to have passed, and where there is none. */
  bootstrapMs: number | null;
  /** Its processes as last seen, so that one that left session and environment is not lost. */
  known: ProcessIdentity[];
  /** Told by the system, when we are the parent: how the shim ended. */
  shimEnd: { status: number | null; signal: string | null } | null;
  /** The shim is our child: an event tells its end, and so the app's. */
  parented: boolean;
  /** Seen running in this life of the daemon. */
  seen: boolean;
  /** When we began to look at it, on the monotonic clock. */
  readonly sinceMs: number;
  /** The listening socket found to be its own; null while there is none. */
  socket: string | null;
  /** When the app was first missed while the shim was still there, on the monotonic clock. */
  missedAtMs: number | null;
  usage: SlotUsage | null;
  readonly meter: UsageMeter;
  readonly supervision: Supervision;
}

/**
 * The shim writes the status as soon as it has a processor, on a busy machine in a second; one that
 * does not, stopped or killed, is not waited for.
 */
const STATUS_WAIT_MS = 2_000;

export function toSlot(held: HeldSlot): Slot {
  const { record } = held;
  const running = record.exit === null;
  held.bootstrapMs ??= readBootstrapMs(held);
  return {
    id: record.spec.id,
    environment: record.spec.environment,
    release: record.spec.release,
    state: running ? 'running' : 'exited',
    pid: running ? (appOf(record)?.pid ?? null) : null,
    host: INSTANCE_HOST,
    port: record.port,
    listening: running && held.socket !== null,
    startedAt: record.startedAt,
    bootstrapMs: held.bootstrapMs,
    exit: record.exit,
    usage: running ? held.usage : null,
    limit: record.limit,
  };
}

/** Without /proc the app cannot be told from its shim. */
function appOf(record: SlotRecord): ProcessIdentity | null {
  return hasProcessTable ? record.app : record.shim;
}

/** How the slot's program ended, or null while it has not. */
export function observeExit(held: HeldSlot, groups: ControlGroups, clock: Clock): Exit | null {
  const { record } = held;
  // A daemon that ended between letting the program go and seeing it left that to us.
  if (record.app === null && !held.parented) record.app = findApp(record.shim);
  if (isAlive(record.app)) {
    held.seen = true;
    // Somebody killed the shim alone: how it ended says nothing of the app.
    if (held.shimEnd !== null) orphan(held);
    return null;
  }
  const shimEnded = held.shimEnd !== null || !isAlive(record.shim);
  if (!shimEnded) {
    // Before the program was seen for the first time, a living shim is about to start it.
    if (record.app === null) return null;
    held.missedAtMs ??= clock.monotonic();
    if (clock.monotonic() - held.missedAtMs < STATUS_WAIT_MS) return null;
  }
  return explain(held, groups, clock.now());
}

function orphan(held: HeldSlot): void {
  held.shimEnd = { status: null, signal: null };
  held.parented = false;
}

function explain(held: HeldSlot, groups: ControlGroups, nowMs: number): Exit {
  const { record, shimEnd } = held;
  const exit = readExitFile(held.exitFile) ?? shimExit(shimEnd, nowMs);
  if (record.sentence !== null) {
    return { code: null, signal: 'SIGKILL', cause: record.sentence, at: exit?.at ?? nowMs };
  }
  if (exit === null) return unknownExit(unknownCause(held), nowMs);
  if (record.spec.bootstrap !== null && readBootstrapMs(held) === null) {
    return { ...exit, cause: `${exit.cause} in its bootstrap` };
  }
  const { memoryBytes } = record.spec.limits;
  if (memoryBytes !== null && exit.signal === 'SIGKILL' && groups.ranOutOfMemory(record.cgroups)) {
    return { ...exit, cause: `${exit.cause} (memory limit ${megabytes(memoryBytes)})` };
  }
  return exit;
}

function unknownCause(held: HeldSlot): string {
  if (held.seen) return 'ended, and its status is not known';
  return held.record.app === null
    ? 'was never started: the daemon ended before it could be'
    : 'ended while nobody was watching';
}

/** The shim ends with its program's status; a signal that ended it was meant for the program too. */
function shimExit(end: HeldSlot['shimEnd'], at: number): Exit | null {
  if (end === null || (end.status === null && end.signal === null)) return null;
  if (end.status !== null) return exitOf(end.status, at);
  return { code: null, signal: end.signal, cause: `killed by ${end.signal}`, at };
}
