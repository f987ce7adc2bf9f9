import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { Fault } from '../../kernel/fault.ts';
import type { SlotSpec } from '../driver.ts';
import type { ControlGroups } from './cgroup.ts';
import { resolveCommand } from './command.ts';
import { instanceEnvironment } from './environment.ts';
import type { HeldSlot } from './held-slot.ts';
import { openLog } from './log-file.ts';
import type { Ports } from './ports.ts';
import {
  hasProcessTable,
  isAlive,
  type ProcessIdentity,
  readBootId,
  readProcess,
  readProcessTable,
} from './process-table.ts';
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
  hold(record: SlotRecord, logPath: string, parented: boolean): HeldSlot;
  /** The shim of a slot that we started has ended. */
  ended(held: HeldSlot): void;
}

/** Niceness of an instance with a CPU limit that the kernel does not hold. */
const WATCHED_NICENESS = 10;
const SIGHT_PERIOD_MS = 2;

export const logPathOf = (logs: string, spec: SlotSpec): string =>
  join(logs, spec.application, spec.environment, `${spec.id}.log`);

/**
 * Starts an instance: checks what can be checked, writes the slot down, spawns the shim, puts it
 * under its limits, writes down who it is, and only then lets the program go.
 *
 * @throws `bad-command`, `command-not-found`, `not-executable`, `no-free-port`, `not-started`
 */
export async function launch(launcher: Launcher, spec: SlotSpec): Promise<HeldSlot> {
  const { clock, ports, records } = launcher;
  const port = await ports.take();
  try {
    const variables = instanceEnvironment(spec, port);
    const vector = await resolveCommand(spec.command, variables, spec.directory);
    const record: SlotRecord = {
      spec: { ...spec, command: [...spec.command] },
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
    return await spawnInto(launcher, record, vector, variables);
  } catch (thrown) {
    ports.free(port);
    await records.remove(spec.id);
    throw thrown;
  }
}

async function spawnInto(
  launcher: Launcher,
  record: SlotRecord,
  vector: string[],
  variables: Record<string, string>,
): Promise<HeldSlot> {
  const { records } = launcher;
  const { spec } = record;
  const logPath = logPathOf(launcher.logs, spec);
  const output = await openLog(logPath, dirname(logPath));
  const shim = await Promise.resolve()
    .then(() =>
      spawnShim({
        vector,
        exitFile: records.exitFile(spec.id),
        directory: spec.directory,
        variables,
        output: output.fd,
      }),
    )
    .finally(() => output.close());
  const pid = shim.process.pid;
  if (pid === undefined) throw notStarted(spec);
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
  await letGo(launcher, held, shim);
  return held;
}

/** Starts the program and waits until it can be seen, or has ended already. */
async function letGo(launcher: Launcher, held: HeldSlot, shim: Shim): Promise<void> {
  const { record } = held;
  shim.go();
  while (held.shimEnd === null && record.app === null) {
    record.app = findApp(record.shim);
    if (record.app === null) await launcher.clock.sleep(SIGHT_PERIOD_MS);
    if (!hasProcessTable) break;
  }
  await launcher.records.write(record);
}

/** The app's own process is the one child of the shim. */
export function findApp(shim: ProcessIdentity | null): ProcessIdentity | null {
  if (!isAlive(shim)) return null;
  for (const entry of readProcessTable().values()) {
    if (entry.parent === shim?.pid) return { pid: entry.pid, startTicks: entry.startTicks };
  }
  return null;
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

function notStarted(spec: SlotSpec): Fault {
  return new Fault({
    code: 'not-started',
    message: `the system could not start a process for ${spec.id}`,
    subject: spec.id,
    hint: 'see whether the machine is out of memory or process ids',
    retryable: true,
  });
}
