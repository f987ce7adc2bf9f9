import type { Outcome } from '../../model/ledger.ts';
import type { Answer } from '../http/answer.ts';
import type { RequestHead } from '../http/request-head.ts';
import { RequestReader } from '../http/request-reader.ts';
import type { RowCounter } from '../worker/account.ts';
import { Attempts } from '../worker/attempts.ts';
import type { Demand } from '../worker/demand.ts';
import type { ExchangeClient, ExchangeResponse } from '../worker/exchange-client.ts';
import { RequestBody } from '../worker/request-body.ts';
import type { Tunnel } from '../worker/tunnel.ts';
import type { CacheRequest } from './cache-request.ts';
import type { KeptResponse } from './kept-response.ts';
import { mayAnswerForError } from './reuse.ts';

/** The half of a fetch that an exchange sees: a client without a connection, whose GET has no body. */
export abstract class FetchClient implements ExchangeClient {
  abstract readonly response: ExchangeResponse;
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly halfClosed = false;
  readonly requests: RequestReader;
  readonly requestBody: RequestBody;
  readonly attempts: Attempts;
  readonly forwarded: ExchangeClient['forwarded'];
  readonly demand: Demand | null;
  readonly poolId: string | null;
  readonly needsApp: boolean;
  /** What is kept meanwhile. */
  readonly stale: KeptResponse | null;
  readonly startedMs: number;
  /** As a writer: it takes no more while its readers have too much before them. */
  readonly writer = { blocked: false, progressed: () => true };
  /** How the exchange has ended. */
  protected lastOutcome: Outcome = 'lost';

  constructor({ client, head, route, rule, to }: CacheRequest, stale: KeptResponse | null) {
    const { clock, limits } = route.cache.edge;
    this.requests = new RequestReader(limits);
    this.requestBody = new RequestBody(limits);
    this.attempts = new Attempts(this.requestBody, limits);
    this.forwarded = remembered(client.forwarded, head);
    this.demand = client.demand;
    const errorMs = rule.rule.staleIfErrorS * 1000;
    this.stale = stale;
    this.startedMs = clock.monotonic();
    this.needsApp = !stale || !mayAnswerForError(stale.kept, errorMs, this.startedMs);
    // What another release answers would not be kept. Where traffic is shared out, that is asked too.
    this.poolId = to.isDivided ? null : route.ownPool;
  }

  mayKeep(): boolean {
    return true;
  }

  requestsUsed(): void {
    // There is no body.
  }

  isCounted(_row: RowCounter, outcome: Outcome): boolean {
    this.lastOutcome = outcome;
    return false;
  }

  leaveDemand(): void {
    // Its readers do.
  }

  openTunnel(): Tunnel {
    throw new Error('a fetch does not ask to switch protocols');
  }

  abstract exchangeEnded(): void;
  abstract answer(answer: Answer): void;
  abstract refuse(): void;
  protected abstract breakOff(): void;

  destroy(): void {
    this.breakOff();
  }

  reset(): void {
    this.breakOff();
  }
}

/** What tells of the client, as it is now: the connection may be on another request by then. */
function remembered(
  forwarded: CacheRequest['client']['forwarded'],
  head: RequestHead,
): ExchangeClient['forwarded'] {
  const { requestId } = forwarded;
  const client = forwarded.clientOf(head);
  const text = forwarded.forRequest(head);
  return { requestId, clientOf: () => client, forRequest: () => text };
}
