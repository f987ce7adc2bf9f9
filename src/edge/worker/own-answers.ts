import type { Outcome } from '../../model/ledger.ts';

/** An answer of the edge's own in place of an app's, and how the request is counted. */
export interface OwnAnswer {
  readonly status: number;
  readonly text: string;
  readonly outcome: Outcome;
  /** More header lines, each with its CRLF. */
  readonly fields: string;
}

const ALLOWED = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n';
const retryAfter = (seconds: number): string => `Retry-After: ${seconds}\r\n`;
const RETRY_AFTER = retryAfter(1);

const own = (status: number, outcome: Outcome, text: string, fields = ''): OwnAnswer => ({
  status,
  text,
  outcome,
  fields,
});

export const ownAnswers = {
  noInstance: own(503, 'lost', 'No instance became ready in time. Try again soon.', RETRY_AFTER),
  busy: own(503, 'shed', 'All instances are busy. Try again soon.', RETRY_AFTER),
  queueFull: own(
    503,
    'shed',
    'Too many requests are waiting for an instance already. Try again soon.',
    RETRY_AFTER,
  ),
  noConnection: own(502, 'lost', 'No connection to an instance could be made.'),
  closedEarly: own(502, 'cut', 'The instance closed the connection before it had answered.'),
  notHttp: own(502, 'lost', 'The instance sent what is not an HTTP response.'),
  tooSlow: own(504, 'lost', 'The instance did not answer in time.'),
  looped: own(
    508,
    'refused',
    'This request has been here before: what it was sent on to has sent it back. Each upstream has to be nearer to the app than this server is.',
  ),
  /** To OPTIONS *. */
  itself: own(200, 'fixed', 'This is a Belay edge.', ALLOWED),
  /** To probes. Whoever asks takes a 503 for an app that is sick, and sends it no request that would wake it. */
  asleep: own(
    200,
    'fixed',
    'Nothing runs here until somebody wants it: this app is asleep, and the next request that is no health check wakes it.',
  ),
  /** To a request that wants it from the cache or not at all (RFC 9111 section 5.2.1.7). */
  notKept: own(504, 'refused', 'This is not in the cache, and the request wants nothing else.'),
  full: own(
    503,
    'shed',
    'This server has as many connections open as it may. Try again soon.',
    RETRY_AFTER,
  ),
  tooManyOfClient: own(
    429,
    'shed',
    'Your address has as many connections open to this server as it may. Close some, or try again soon.',
    RETRY_AFTER,
  ),
} as const;

/** To those who waited for others, whom the app has answered with this status. */
export const appFails = (status: number): OwnAnswer =>
  own(status, 'app-error', `The app answered ${status} to those who asked for this just before.`);

export function unknownHost(host: string): OwnAnswer {
  const asked = host === '' ? 'no host' : `"${host}"`;
  return own(
    404,
    'fixed',
    `Nothing here answers to ${asked}. \`belay status\` lists the names that are served.`,
  );
}

/** @param seconds until the next is let through */
export function tooManyRequests(seconds: number): OwnAnswer {
  const time = seconds === 1 ? 'a second' : `${seconds} seconds`;
  return own(
    429,
    'shed',
    `Your address sends requests faster than it may here. Try again in ${time}.`,
    retryAfter(seconds),
  );
}
