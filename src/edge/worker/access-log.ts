import type { Outcome } from '../../model/ledger.ts';
import type { RequestHead } from '../http/request-head.ts';

/** One line of the access log: what was asked, by whom, and how it went. */
export interface Access {
  /** Null when it was refused before it could be read. */
  head: RequestHead | null;
  client: string;
  /** Empty when no rule took it. */
  environment: string;
  /** The instance that answered, or was tried last; null when none was. */
  target: string | null;
  /** Empty when no rule took it. */
  requestId: string;
  /** 0 when nothing was answered. */
  status: number;
  outcome: Outcome;
  /** Of the app's response body, or of what an upgraded connection brought the client. */
  bodyBytes: number;
  durationMs: number;
}

export interface AccessLog {
  write(access: Access): void;
}

/** A request that the edge answered before any rule took it. */
export function accessWithoutRule(
  head: RequestHead | null,
  client: string,
  outcome: Outcome,
  status: number,
): Access {
  return {
    ...{ head, client, outcome, status },
    ...{ environment: '', target: null, requestId: '', bodyBytes: 0, durationMs: 0 },
  };
}
