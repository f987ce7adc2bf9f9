import type { Admission } from '../../model/traffic.ts';
import type { Limits } from '../limits.ts';
import type { ExchangeClient } from './exchange-client.ts';
import type { TargetState } from './target-state.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/**
 * What an exchange waits for: one thing at a time, which decides for how long.
 *
 * target       one that may take it
 * connection   to the target
 * body         more of the request from the client
 * app-reads    the app to take what it was sent of the request
 * head         of the response
 * client-reads the client to take what it was sent of the response
 * response     more of it from the app
 */
export type ExchangeWait =
  | 'target'
  | 'connection'
  | 'body'
  | 'app-reads'
  | 'head'
  | 'client-reads'
  | 'response';

/** @param bodySent all of the request is with the app */
export function waitOf(
  upstream: UpstreamConnection | null,
  client: ExchangeClient,
  bodySent: boolean,
): ExchangeWait {
  if (upstream === null) return 'target';
  if (!upstream.connected) return 'connection';
  if (client.writer.blocked) return 'client-reads';
  if (client.response.head !== null) return 'response';
  if (upstream.writer.blocked) return 'app-reads';
  return bodySent ? 'head' : 'body';
}

/**
 * @param admission of the request's environment
 * @param target null while it has none
 */
export function waitMs(
  wait: ExchangeWait,
  limits: Limits,
  admission: Admission,
  target: Pick<TargetState, 'balancing'> | null,
): number {
  switch (wait) {
    case 'target':
      return admission.queueMs;
    case 'connection':
      return limits.connectMs;
    case 'body':
    case 'client-reads':
      return limits.bodyProgressMs;
    case 'app-reads':
    case 'head':
      return target?.balancing.responseHeadMs ?? 0;
    case 'response':
      return target?.balancing.quietMs ?? 0;
  }
}
