import type { Outcome } from '../../model/ledger.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { Ongoing } from '../worker/client-connection.ts';
import { interimText } from '../worker/message-text.ts';
import { appFails, type OwnAnswer, ownAnswers } from '../worker/own-answers.ts';
import { connectionLine } from './cache-answer.ts';
import { type CacheRequest, FROM_THE_CACHE, type Source } from './cache-request.ts';
import { type CacheReport, cacheStatus } from './cache-status.ts';
import type { Fetch } from './fetch.ts';
import type { FetchReason } from './fetch-request.ts';
import type { BodyReaderOfMany, Filling } from './filling.ts';
import type { KeptResponse } from './kept-response.ts';
import { isNotModified, type Validators } from './validators.ts';

/**
 * One request waits for what another has asked for no longer than this. Then it gets what is kept, or
 * asks itself.
 */
export const COLLAPSED_WAIT_MS = 10_000;
/** After so many in turn were answered with an error, the rest of those who wait are told so. */
const MOST_FAILURES = 3;

/** A client that waits for what is fetched, and reads it as it comes, at its own pace. */
export class CacheReader implements Ongoing, BodyReaderOfMany {
  readonly request: CacheRequest;
  /** The fetch was made for it. */
  readonly isFirst: boolean;
  position = 0;
  /** Null once it has nothing to do with it any more. */
  private fetch: Fetch | null;
  private filling: Filling | null = null;
  /** What the client has been told; 0 for nothing. */
  private toldStatus = 0;
  private keep = false;
  private isReadingBack = false;

  constructor(request: CacheRequest, fetch: Fetch, isFirst: boolean) {
    this.request = request;
    this.fetch = fetch;
    this.isFirst = isFirst;
    const { clock } = request.route.cache.edge;
    request.client.deadlineMs = clock.monotonic() + COLLAPSED_WAIT_MS;
  }

  /** What is fetched is not for it, or comes too late. */
  goAlone(detail: string): void {
    this.leaveAll();
    this.request.pass('uri-miss', detail);
  }

  /** What was asked for may be kept by now, or another fetch fits better. */
  tryAgain(): void {
    this.leaveAll();
    const { client, head, route, to } = this.request;
    route.enter(client, head, to);
  }

  /**
   * What it waited for is another's alone. If that was an error, one of those who waited asks next, and
   * the rest wait on: an app that fails is not asked by all of them, and an error that is about one of
   * them is not told to all.
   */
  onNotKept(status: number, { why, stale, failures: before }: FetchReason): void {
    const failures = before + 1;
    if (status < 500) this.goAlone('not-kept');
    else if (failures >= MOST_FAILURES) this.onOwnAnswer(appFails(status));
    else {
      this.leaveAll();
      this.request.join(why, stale, failures);
    }
  }

  /** Gets an answer that is kept, or was. */
  onKept(
    kept: KeptResponse,
    report: Partial<CacheReport>,
    source: Source,
    isFromApp: boolean,
  ): void {
    const { isFirst } = this;
    this.leaveFetch();
    const collapsed = !isFirst;
    const byFirst = isFromApp ? 'stored' : 'stale';
    const from = isFirst && isFromApp ? source : FROM_THE_CACHE;
    const counter = collapsed ? 'collapsed' : byFirst;
    this.request.answerKept(kept, counter, { ...report, collapsed }, from);
  }

  /** The edge has to answer in the app's place. */
  onOwnAnswer(own: OwnAnswer): void {
    this.leaveFetch();
    this.request.answerOwn(own);
  }

  /** Something comes before the answer; HTTP/1.0 knows nothing of it. */
  onInterim(head: ResponseHead): void {
    const { client, head: asked } = this.request;
    if (asked.minorVersion === 0) return;
    client.writer.raw(interimText(head));
    client.writer.flush();
  }

  /** A body begins to come. @param lines of the response, as it is kept or, for the first, as it came */
  onFilling(filling: Filling, lines: string, report: CacheReport): void {
    const { client, head, route } = this.request;
    const { body, status, statusText } = filling.head;
    this.filling = filling;
    const noLength = body < 0;
    const chunked = noLength && head.minorVersion === 1;
    this.keep = client.mayStay(head) && noLength === chunked;
    this.toldStatus = status;
    const told = { ...report, collapsed: !this.isFirst };
    const text =
      `HTTP/1.1 ${statusText}\r\n${lines}Cache-Status: ${cacheStatus(route.name, told)}\r\n` +
      (chunked ? 'Transfer-Encoding: chunked\r\n' : '') +
      `${connectionLine(this.keep, head.minorVersion)}\r\n`;
    client.deadlineMs = Number.POSITIVE_INFINITY;
    client.writer.begin(text, chunked);
    const byApp = told.stored ? 'stored' : 'passed';
    route.cache.counts(route.environment)[told.collapsed ? 'collapsed' : byApp] += 1;
  }

  /** Whether it has that already, by the validators of what is coming. */
  hasAlready(validators: Validators): boolean {
    const { asked, route } = this.request;
    return asked !== null && isNotModified(asked, validators, route.cache.edge.clock.now());
  }

  /** It needs all of it before it can be answered. */
  get wantsWhole(): boolean {
    const { asked, head } = this.request;
    return head.method === 'HEAD' || (asked !== null && (asked.range ?? null) !== null);
  }

  /** It reads a body that is on its way. */
  get isReading(): boolean {
    return this.filling !== null;
  }

  /** Writes what has come of the body. */
  pump(): void {
    const { filling } = this;
    if (filling === null || this.isReadingBack) return;
    const { writer } = this.request.client;
    while (!writer.blocked) {
      const bytes = filling.from(this.position);
      if (bytes === 'gone') {
        this.readBack(filling);
        return;
      }
      if (bytes === null) break;
      this.position += bytes.length;
      writer.data(bytes, 0, bytes.length);
    }
    if (!filling.isWhole || this.position < filling.sizeBytes) {
      writer.flush();
      this.setReadingDeadline();
      return;
    }
    writer.end(this.isFirst ? filling.trailers : '');
    writer.flush();
    this.finishReading(filling);
  }

  /** It is so far behind that the disk alone has what is next. */
  private readBack(filling: Filling): void {
    this.isReadingBack = true;
    filling.readBack(this.position).then(
      (bytes) => {
        this.isReadingBack = false;
        if (this.filling === null) return;
        this.position += bytes.length;
        this.request.client.writer.data(bytes, 0, bytes.length);
        this.pump();
      },
      () => {
        if (this.filling !== null) this.onBroken('lost');
      },
    );
  }

  private finishReading({ head: { status }, holds, sizeBytes }: Filling): void {
    const { isFirst, request, source, keep } = this;
    this.leaveFetch();
    if (isFirst || !holds) {
      const outcome = status >= 500 ? 'app-error' : 'ok';
      request.end({ outcome, status, source, bodyBytes: sizeBytes }, keep);
      return;
    }
    request.route.cache.counts(request.route.environment).savedBytes += sizeBytes;
    request.end({ outcome: 'cached', status, source: FROM_THE_CACHE, bodyBytes: sizeBytes }, keep);
  }

  /** What it reads has broken off. */
  onBroken(outcome: Outcome): void {
    if (this.toldStatus === 0) {
      this.onOwnAnswer({ ...ownAnswers.closedEarly, outcome });
      return;
    }
    const { client, head } = this.request;
    this.endUnanswered(outcome);
    // To HTTP/1.0, the end of a connection may look like that of a body.
    if (head.minorVersion === 0) client.reset();
    else client.destroy();
  }

  // — the client —

  onClientBytes(): void {
    // They are of the next request.
  }

  onClientDrain(): void {
    const { fetch } = this;
    this.pump();
    fetch?.onReaderDrain();
  }

  onClientGone(): void {
    this.endUnanswered('client-aborted');
  }

  onDeadline(nowMs: number): void {
    const { client } = this.request;
    if (this.filling === null) {
      // What it asked for has deadlines of its own.
      if (this.isFirst) client.deadlineMs = nowMs + COLLAPSED_WAIT_MS;
      else this.onWaitedInVain();
    } else if (client.writer.progressed()) {
      this.setReadingDeadline();
    } else {
      this.endUnanswered('client-aborted');
      client.destroy();
    }
  }

  private onWaitedInVain(): void {
    const { fetch, request } = this;
    if (!fetch?.stale || fetch.needsApp) {
      this.goAlone('waited-in-vain');
      return;
    }
    this.leaveFetch();
    request.answerKept(fetch.stale, 'stale', { detail: 'waited-in-vain' });
  }

  abandon(): void {
    this.endUnanswered('lost');
    this.request.client.destroy();
  }

  private endUnanswered(outcome: Outcome): void {
    // It has ended, and its connection is about to close.
    if (this.fetch === null) return;
    const { position: bodyBytes, request, source, toldStatus: status } = this;
    this.leaveFetch();
    request.count({ outcome, status, source, bodyBytes });
  }

  /** A client that reads has to go on reading; what comes from the app is the fetch's business. */
  private setReadingDeadline(): void {
    const { client, route } = this.request;
    const { clock, limits } = route.cache.edge;
    client.deadlineMs = client.writer.blocked
      ? clock.monotonic() + limits.bodyProgressMs
      : Number.POSITIVE_INFINITY;
  }

  private get source(): Source {
    return this.fetch?.source ?? FROM_THE_CACHE;
  }

  private leaveAll(): void {
    const { client, route } = this.request;
    this.leaveFetch();
    client.leaveDemand(route.cache.edge.clock.monotonic());
  }

  private leaveFetch(): void {
    const { fetch } = this;
    this.fetch = null;
    this.filling = null;
    fetch?.remove(this);
  }
}
