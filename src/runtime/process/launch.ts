import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { Fault, messageOf, systemCode } from '../../kernel/fault.ts';
import type { Variables } from '../../model/configuration.ts';
import type { SlotSpec } from '../driver.ts';
import { afterBootstrap } from './bootstrap.ts';
import type { ControlGroups } from './cgroup.ts';
import { resolveCommand } from './command.ts';
import { instanceEnvironment } from './environment.ts';
import { reserveExitFile } from './exit.ts';
import type { HeldSlot } from './held-slot.ts';
import { findApp } from './instance-tree.ts';
import { openLog } from './log-file.ts';
import type { Ports } from './ports.ts';
import { hasProcessTable, type ProcessIdentity, readBootId, readProcess } from './process-table.ts';
import type { SlotRecord, SlotRecords } from './record.ts';
import { type Shim, spawnShim } from './shim.ts';

/** What launching needs of the runtime. */
export interface Launcher {
  clock: Clock;
  ports: Ports;
  records: SlotRecords;
  groups: ControlGroups;
  /** Whether limits may be held by control groups. */
  useGroups: boolean;
  logs: string;
  /** Writes the record in the background. */
  save(record: SlotRecord): void;
  hold(record: SlotRecord, logPath: string, parented: boolean): HeldSlot;
  /** The shim of a slot that we started has ended. */
  ended(held: HeldSlot): void;
}

/** Niceness of an instance with a CPU limit that the kernel does not hold. */
const WATCHED_NICENESS = 10;
const SIGHT_PERIOD_MS = 2;
const FULL = new Set(['ENOSPC', 'EDQUOT']);
const HINTS: Readonly<Record<string, string>> = {
  E2BIG: 'its arguments and variables together are more than the system takes: put some in a file',
  EACCES: "see who may write in Belay's home",
  EROFS: "Belay's home is on a disk that may only be read",
};

export const logPathOf = (logs: string, spec: SlotSpec): string =>
  join(logs, spec.application, spec.environment, `${spec.id}.log`);

/**
 * Starts an instance: checks what can be checked, writes the slot down, spawns the shim, puts it
 * under its limits, writes down who it is, and only then lets the program go.
 *
 * @throws `bad-command`, `command-not-found`, `not-executable`, `no-free-port`, `not-started`,
 *   `disk-full`
 */
export async function launch(launcher: Launcher, spec: SlotSpec): Promise<HeldSlot> {
  const { clock, ports, records } = launcher;
  const port = await ports.take();
  try {
    const variables = instanceEnvironment(spec, port);
    const vector = await vectorOf(launcher, spec, variables);
    const bootstrap = spec.bootstrap && [...spec.bootstrap];
    const record: SlotRecord = {
      spec: { ...spec, bootstrap, command: [...spec.command] },
      port,
      startedAt: clock.now(),
      bootId: readBootId(),
      shim: null,
      app: null,
      limit: 'none',
      cgroups: [],
      sentence: null,
      exit: null,
    };
    await records.write(record);
    await reserveExitFile(records.exitFile(spec.id));
    return await spawnInto(launcher, record, vector, variables);
  } catch (thrown) {
    ports.free(port);
    await records.remove(spec.id).catch(() => {});
    throw asFault(thrown, spec);
  }
}

async function vectorOf(
  { records }: Launcher,
  { id, bootstrap, command, directory }: SlotSpec,
  variables: Variables,
): Promise<string[]> {
  const program = await resolveCommand(command, variables, directory);
  if (bootstrap === null) return program;
  const before = await resolveCommand(bootstrap, variables, directory);
  return afterBootstrap(before, program, records.bootstrapFile(id));
}

/** What throws here has let nothing go: the shim alone is there, and does not outlive it. */
async function spawnInto(
  launcher: Launcher,
  record: SlotRecord,
  vector: string[],
  variables: Record<string, string>,
): Promise<HeldSlot> {
  const { records } = launcher;
  const logPath = logPathOf(launcher.logs, record.spec);
  const shim = await spawnWriting(launcher, record.spec, { vector, variables, logPath });
  const pid = shim.process.pid;
  if (pid === undefined) throw shim.failure() ?? new Error('no process came of it');
  record.shim = identify(pid);
  const held = launcher.hold(record, logPath, true);
  shim.process.once('exit', (status, signal) => {
    held.shimEnd = { status, signal };
    launcher.ended(held);
  });
  try {
    limit(launcher, record, pid);
    await records.write(record);
  } catch (thrown) {
    shim.process.kill('SIGKILL');
    launcher.groups.remove(record.cgroups);
    throw thrown;
  }
  shim.go();
  await untilSeen(launcher, held);
  return held;
}

async function spawnWriting(
  launcher: Launcher,
  spec: SlotSpec,
  program: { vector: string[]; variables: Record<string, string>; logPath: string },
): Promise<Shim> {
  const { vector, variables, logPath } = program;
  const output = await openLog(logPath, dirname(logPath));
  try {
    const exitFile = launcher.records.exitFile(spec.id);
    return spawnShim({ vector, exitFile, directory: spec.directory, variables, output: output.fd });
  } finally {
    await output.close();
  }
}

/** Waits until the program can be seen, or has ended already. */
async function untilSeen(launcher: Launcher, held: HeldSlot): Promise<void> {
  const { clock } = launcher;
  const { record } = held;
  if (!hasProcessTable) return;
  while (held.shimEnd === null && record.app === null) {
    const beganMs = clock.monotonic();
    record.app = findApp(record.shim);
    const costMs = clock.monotonic() - beganMs;
    if (record.app === null) await clock.sleep(Math.max(SIGHT_PERIOD_MS, costMs));
  }
  // The program runs: what cannot be written now is found again by the shim's id, which is there.
  launcher.save(record);
}

function identify(pid: number): ProcessIdentity {
  return { pid, startTicks: readProcess(pid)?.startTicks ?? 0 };
}

/** Held by the kernel where it can be, else by niceness and watching. */
function limit(launcher: Launcher, record: SlotRecord, pid: number): void {
  const { groups, useGroups } = launcher;
  const { id, limits } = record.spec;
  if (limits.memoryBytes === null && limits.cpu === null) return;
  const made = useGroups ? groups.make(id, limits) : null;
  if (made !== null && groups.enter(made, pid)) {
    record.limit = 'cgroup';
    record.cgroups = made;
    return;
  }
  if (made !== null) groups.remove(made);
  record.limit = 'watched';
  if (limits.cpu !== null) setPriority(pid, WATCHED_NICENESS);
}

/** What the system refused, told as what was wanted. */
function asFault(thrown: unknown, spec: SlotSpec): Fault {
  if (thrown instanceof Fault) return thrown;
  const code = systemCode(thrown) ?? '';
  const isFull = FULL.has(code);
  return new Fault({
    code: isFull ? 'disk-full' : 'not-started',
    message: `${spec.id} could not be started: ${messageOf(thrown)}`,
    subject: spec.id,
    hint: isFull
      ? "free some space on the disk of Belay's home"
      : (HINTS[code] ?? 'see whether the machine is out of memory, process ids or descriptors'),
    retryable: code !== 'E2BIG',
    cause: thrown,
  });
}
