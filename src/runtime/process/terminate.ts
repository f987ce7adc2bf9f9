import type { Clock } from '../../kernel/clock.ts';
import { Fault, systemCode } from '../../kernel/fault.ts';
import { isAlive, type ProcessEntry, type ProcessIdentity } from './process-table.ts';

/** What has to end: one instance's processes, looked up anew each time. */
export interface Condemned {
  instance: string;
  /** Leader of the group; null when nothing was ever spawned. */
  shim: ProcessIdentity | null;
  tree(): ProcessEntry[];
}

/** Most leave at once, and a deployment waits for them; the others are waited for at leisure. */
const SOON_MS = 250;
const SOON_PERIOD_MS = 3;
const LOOK_PERIOD_MS = 20;
const KILL_PERIOD_MS = 5;
/** A process that survives SIGKILL for so long hangs in the kernel. */
const KILL_TIMEOUT_MS = 5_000;

/**
 * Asks the whole tree to finish and leave, waits until nothing of the group is left or the deadline
 * has passed, then kills what there is, also what left the group.
 *
 * @param deadlineMs read again and again, on the monotonic clock, so that it can be brought forward
 * @throws `unkillable` (retryable)
 */
export async function terminate(
  condemned: Condemned,
  clock: Clock,
  deadlineMs: () => number,
  signal: AbortSignal,
): Promise<void> {
  const { shim } = condemned;
  let tree = condemned.tree();
  send(tree, shim, 'SIGTERM');
  const askedMs = clock.monotonic();
  while (clock.monotonic() < deadlineMs() && !signal.aborted) {
    // Those seen last are cheap to look at; the whole table only when they are gone.
    const isGrouped = (entry: ProcessEntry) => entry.group === shim?.pid;
    if (!tree.some((entry) => isGrouped(entry) && isAlive(entry))) {
      tree = condemned.tree();
      if (!tree.some(isGrouped)) break;
    }
    const isSoon = clock.monotonic() - askedMs < SOON_MS;
    await clock.sleep(isSoon ? SOON_PERIOD_MS : LOOK_PERIOD_MS, signal);
  }
  if (!signal.aborted) await killTree(condemned, clock, signal);
}

/** @throws `unkillable` (retryable) */
export async function killTree(
  condemned: Condemned,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const giveUpMs = clock.monotonic() + KILL_TIMEOUT_MS;
  for (let tree = condemned.tree(); tree.length > 0; tree = condemned.tree()) {
    if (signal.aborted) return;
    if (clock.monotonic() > giveUpMs) throw unkillable(condemned.instance, tree);
    send(tree, condemned.shim, 'SIGKILL');
    await clock.sleep(KILL_PERIOD_MS, signal);
  }
}

/** The group at once, so that no fork slips through, and each process that is not in it. */
function send(
  tree: readonly ProcessEntry[],
  shim: ProcessIdentity | null,
  signal: 'SIGTERM' | 'SIGKILL',
): void {
  const grouped = tree.filter((entry) => entry.group === shim?.pid);
  if (shim !== null && grouped.length > 0) sendOne(-shim.pid, signal);
  for (const entry of tree) if (!grouped.includes(entry)) sendOne(entry.pid, signal);
}

function sendOne(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (thrown) {
    // It has ended since; or it has become another user's, and the caller finds that it is still
    // there.
    const code = systemCode(thrown);
    if (code !== 'ESRCH' && code !== 'EPERM') throw thrown;
  }
}

function unkillable(instance: string, tree: readonly ProcessEntry[]): Fault {
  const pids = tree.map((entry) => entry.pid);
  return new Fault({
    code: 'unkillable',
    message: `processes of ${instance} are still there after SIGKILL: ${pids.join(', ')}`,
    subject: instance,
    hint: 'they hang in the kernel or belong to another user; look at them with ps',
    retryable: true,
    details: { pids },
  });
}
