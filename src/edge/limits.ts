import type { EdgeSettings } from '../model/edge-settings.ts';

/**
 * What a worker puts up with: what its settings say, and what nobody has had to set yet. Sizes
 * protect its memory, deadlines its sockets; each names where it comes from. What belongs to one
 * environment is in `model/traffic.ts`.
 */
export interface Limits
  extends Pick<
    EdgeSettings,
    | 'headBytes'
    | 'targetBytes'
    | 'fields'
    | 'headMs'
    | 'idleMs'
    | 'bodyProgressMs'
    | 'connections'
    | 'connectionsPerClient'
  > {
  /** Read from a client ahead of need (pipelined requests, bodies nobody takes yet). */
  readAheadBytes: number;
  /** A complete request body up to this size is kept until the response begins, for a retry. */
  replayBytes: number;
  connectMs: number;
  /** How long a closed connection is still read, so that the client gets its last answer. */
  lingerMs: number;
  /** An idle upstream connection that named no `Keep-Alive: timeout`. */
  upstreamIdleMs: number;
  upstreamIdleConnections: number;
  /** A connection idle for longer carries no request that must not be sent twice. */
  nonIdempotentIdleMs: number;
  /** After a refused connection, a target is chosen only when there is no other. */
  suspectMs: number;
  attempts: number;
  /** How long a request that every target has refused waits for others to take their place. */
  refusedWaitMs: number;
  /** Tunnels of a drained target close within this time after its deadline, not all at once. */
  drainJitterMs: number;
}

const FIXED_LIMITS = {
  readAheadBytes: 64 * 1024, // one read of Node's
  replayBytes: 16 * 1024, // HAProxy's buffer, its bound for a retry
  connectMs: 3_000, // one SYN retransmission
  lingerMs: 2_000, // Apache's MAX_SECS_TO_LINGER
  upstreamIdleMs: 4_000, // Node's servers close after five
  upstreamIdleConnections: 512,
  nonIdempotentIdleMs: 1_000,
  suspectMs: 1_000,
  attempts: 3,
  refusedWaitMs: 2_000, // what died is known to be gone, and out of the routing state, in less
  drainJitterMs: 500,
};

export function limitsFrom(settings: EdgeSettings): Limits {
  const { headBytes, targetBytes, fields, headMs, idleMs, bodyProgressMs } = settings;
  const { connections, connectionsPerClient } = settings;
  return {
    ...FIXED_LIMITS,
    ...{ headBytes, targetBytes, fields, headMs, idleMs, bodyProgressMs },
    ...{ connections, connectionsPerClient },
  };
}
