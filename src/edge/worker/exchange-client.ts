import type { Outcome } from '../../model/ledger.ts';
import type { Answer } from '../http/answer.ts';
import type { MessageWriter } from '../http/message-writer.ts';
import type { Refusal } from '../http/refusal.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { RequestReader } from '../http/request-reader.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { Access } from './access-log.ts';
import type { RowCounter } from './account.ts';
import type { Attempts } from './attempts.ts';
import type { Demand } from './demand.ts';
import type { ForwardedFields } from './forwarded.ts';
import type { RequestBody } from './request-body.ts';
import type { Relayed, ResponseWitness } from './response-relay.ts';
import type { TargetState } from './target-state.ts';
import type { Tunnel } from './tunnel.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** Whoever a request is made for: a client's connection, or the cache for all who ask the same. */
export interface ExchangeClient {
  readonly requests: RequestReader;
  readonly requestBody: RequestBody;
  readonly attempts: Attempts;
  readonly forwarded: Pick<ForwardedFields, 'requestId' | 'forRequest' | 'clientOf'>;
  readonly response: ExchangeResponse;
  readonly writer: Pick<MessageWriter, 'blocked' | 'progressed'>;
  readonly demand: Demand | null;
  readonly halfClosed: boolean;
  /** Nothing else answers it: it waits for those that take the place of instances that are gone. */
  readonly needsApp: boolean;
  /** The pool to be tried first; null for what the weights say. */
  readonly poolId: string | null;
  deadlineMs: number;
  /** Another request may follow this one. */
  mayKeep(head: RequestHead): boolean;
  /** Some of what was held is used: there may be room for more. */
  requestsUsed(): void;
  /** The exchange has ended like this. @returns whether that is one client's request, to be counted */
  isCounted(row: RowCounter, outcome: Outcome): boolean;
  leaveDemand(nowMs: number): void;
  /** The exchange is over, its response written. */
  exchangeEnded(keep: boolean, nowMs?: number): void;
  answer(answer: Answer): void;
  refuse(refusal: Refusal): void;
  /** The app has agreed to speak another protocol from now on. */
  openTunnel(
    head: ResponseHead,
    upgrade: string,
    upstream: UpstreamConnection,
    target: TargetState,
    access: Access | null,
  ): Tunnel;
  destroy(): void;
  /** Closes so that the client does not take what it has for all. */
  reset(): void;
}

/** What takes an app's answer. */
export interface ExchangeResponse {
  readonly head: ResponseHead | null;
  readonly heard: boolean;
  readonly started: boolean;
  readonly toldStatus: number;
  readonly bodyBytes: number;
  readonly untilClose: boolean;
  readonly endsWithConnection: boolean;
  readonly keepsClient: boolean;
  moreFields: string;
  start(request: RequestHead, witness: ResponseWitness | null): void;
  read(bytes: Buffer, upstream: UpstreamConnection, headBytes: number): Relayed;
  end(): void;
  /** Lines for an answer of the edge's own in its place. */
  ownFields(status: number): string;
}
