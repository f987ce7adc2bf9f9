import type { Outcome } from '../../model/ledger.ts';

/** An answer of the edge's own in place of an app's, and how the request is counted. */
export interface OwnAnswer {
  readonly status: number;
  readonly text: string;
  readonly outcome: Outcome;
  /** More header lines, each with its CRLF. */
  readonly fields: string;
}

const RETRY_AFTER = 'Retry-After: 1\r\n';

const own = (status: number, outcome: Outcome, text: string, fields = ''): OwnAnswer => ({
  status,
  text,
  outcome,
  fields,
});

export const ownAnswers = {
  noInstance: own(503, 'lost', 'No instance became ready in time. Try again soon.', RETRY_AFTER),
  busy: own(503, 'shed', 'All instances are busy. Try again soon.', RETRY_AFTER),
  queueFull: own(503, 'shed', 'Too many requests are waiting for an instance.', RETRY_AFTER),
  noConnection: own(502, 'lost', 'No connection to an instance could be made.'),
  closedEarly: own(502, 'cut', 'The instance closed the connection before it had answered.'),
  notHttp: own(502, 'lost', 'The instance sent what is not an HTTP response.'),
  tooSlow: own(504, 'lost', 'The instance did not answer in time.'),
} as const;
