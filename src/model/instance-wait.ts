import type { LifecycleWait } from './group.ts';

/**
 * A wait of one instance for somebody's word, beside its state: AWS's lifecycle hooks.
 *
 * launching    pending, has passed its first check, takes no traffic yet
 * terminating  drained, or never routed to, and still runs
 */
export type LifecycleTurn = 'launching' | 'terminating';

export type LifecycleAnswer = LifecycleWait['otherwise'];

export interface InstanceWait {
  turn: LifecycleTurn;
  since: number;
  /** The last heartbeat; when it began, before the first. */
  heartbeatAt: number;
  /** What somebody has said, or what was taken when nobody did; null: it waits. */
  answer: LifecycleAnswer | null;
}

/** AWS: however often somebody says that there is more to do. */
const LONGEST_WAIT_MS = 48 * 3_600_000;
const MOST_HEARTBEATS = 100;

export function waitEndsAt(
  { since, heartbeatAt }: Pick<InstanceWait, 'since' | 'heartbeatAt'>,
  { heartbeatMs }: Pick<LifecycleWait, 'heartbeatMs'>,
): number {
  const longestMs = Math.min(LONGEST_WAIT_MS, MOST_HEARTBEATS * heartbeatMs);
  return Math.min(heartbeatAt + heartbeatMs, since + longestMs);
}
