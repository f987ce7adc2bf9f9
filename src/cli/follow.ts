import { streams } from '../api/addresses.ts';
import { Fault } from '../kernel/fault.ts';
import { isRunning } from '../model/deployment.ts';
import { environmentKey } from '../model/environment.ts';
import type { DeploymentDetail } from '../model/view.ts';
import { type Bell, createBell } from './bell.ts';
import type { Context } from './context.ts';
import { stepProgress } from './progress.ts';
import type { Where } from './where.ts';

export type FollowOutcome =
  | { kind: 'ended'; deployment: DeploymentDetail }
  | { kind: 'interrupted' }
  | { kind: 'timed-out' };

/** How often the truth is asked for without a hint that it changed. */
const POLL_MS = 500;
const RECONNECT_MS = 250;
/** A daemon that died is usually back, and at it again, within seconds. */
const PATIENCE_MS = 30_000;

/**
 * Follows a deployment to its end, over a death of the daemon too. The journal is the truth, the
 * stream of events only says when to read it.
 *
 * @throws `daemon-unreachable` after 30 s without an answer
 */
export async function followDeployment(
  context: Context,
  where: Where,
  number: number,
  timeoutMs: number,
): Promise<FollowOutcome> {
  const { clock, interrupt } = context;
  const deadline = clock.monotonic() + timeoutMs;
  const listening = new AbortController();
  const bell = createBell(clock, interrupt);
  const hints = ringOnEvents(context, where, bell, listening.signal);
  const progress = stepProgress(context);
  let awaySince: number | null = null;
  try {
    for (;;) {
      const deployment = await readDeployment(context, where, number);
      const now = clock.monotonic();
      if (deployment instanceof Fault) {
        awaySince ??= now;
        if (now - awaySince >= PATIENCE_MS) throw deployment;
        progress.away(now - awaySince);
      } else {
        awaySince = null;
        progress.update(deployment);
        if (!isRunning(deployment)) return { kind: 'ended', deployment };
      }
      if (interrupt.aborted) return { kind: 'interrupted' };
      if (now >= deadline) return { kind: 'timed-out' };
      await bell.wait(Math.min(POLL_MS, deadline - now));
    }
  } finally {
    progress.close();
    listening.abort();
    await hints;
  }
}

/** The deployment, or the Fault that says the daemon is away. */
async function readDeployment(
  context: Context,
  where: Where,
  number: number,
): Promise<DeploymentDetail | Fault> {
  try {
    return await context.client().call('deployment', { params: { ...where, number } });
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'daemon-unreachable') return thrown;
    throw thrown;
  }
}

async function ringOnEvents(
  context: Context,
  where: Where,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  const query = { environment: environmentKey(where.application, where.environment) };
  while (!signal.aborted) {
    try {
      for await (const _ of context.client().stream(streams.events, { query, signal })) bell.ring();
    } catch {
      // Only hints are lost: the loop that reads the journal says what is wrong.
    }
    await context.clock.sleep(RECONNECT_MS, signal);
  }
}
