/**
 * What the edge puts up with. Sizes protect its memory, deadlines its sockets; each default names
 * where it comes from. Tests and later configuration pass their own.
 */
export interface Limits {
  /** Request and response heads, request line included. */
  headBytes: number;
  targetBytes: number;
  fields: number;
  requestBodyBytes: number;
  /** Read from a client ahead of need (pipelined requests, bodies nobody takes yet). */
  readAheadBytes: number;
  /** A complete request body up to this size is kept until the response begins, for a retry. */
  replayBytes: number;
  /** From the first byte of a head to its last. */
  headMs: number;
  /** Between two requests of a client connection. */
  idleMs: number;
  /** Without a byte of progress in a body that is on its way. */
  bodyProgressMs: number;
  connectMs: number;
  /** From the whole request to the head of the response. */
  responseHeadMs: number;
  /** Without a byte of a response that has begun: long, because event streams are quiet. */
  responseQuietMs: number;
  tunnelQuietMs: number;
  queueMs: number;
  queueLength: number;
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
  /** Tunnels of a drained target close within this time after its deadline, not all at once. */
  drainJitterMs: number;
}

export const defaultLimits: Limits = {
  headBytes: 32 * 1024, // nginx: 4 × 8 KiB large_client_header_buffers
  targetBytes: 8 * 1024, // RFC 9112 section 3 asks for 8,000 octets at least
  fields: 100, // Apache's LimitRequestFields
  requestBodyBytes: 5 * 1024 ** 3, // S3's largest single PUT; a smaller one is the app's to say
  readAheadBytes: 64 * 1024, // one read of Node's
  replayBytes: 16 * 1024, // HAProxy's buffer, its bound for a retry
  headMs: 10_000, // HAProxy's recommended timeout http-request
  idleMs: 75_000, // nginx's keepalive_timeout
  bodyProgressMs: 30_000, // half of nginx's client_body_timeout
  connectMs: 3_000, // one SYN retransmission
  responseHeadMs: 60_000, // ALB's idle timeout, nginx's proxy_read_timeout
  responseQuietMs: 600_000, // the same as a tunnel's
  tunnelQuietMs: 600_000, // App Runner's and many load balancers' advice for WebSockets
  queueMs: 10_000, // longer than a rolling step's gap, shorter than a person's patience
  queueLength: 1_024, // ALB's surge queue
  lingerMs: 2_000, // Apache's MAX_SECS_TO_LINGER
  upstreamIdleMs: 4_000, // Node's servers close after five
  upstreamIdleConnections: 512,
  nonIdempotentIdleMs: 1_000,
  suspectMs: 1_000,
  attempts: 3,
  drainJitterMs: 500,
};
