import { keyedTarget } from '../../model/cache-key.ts';
import type { Outcome } from '../../model/ledger.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { RowCounter } from '../worker/account.ts';
import type { ClientConnection, Ongoing } from '../worker/client-connection.ts';
import { type OwnAnswer, ownAnswers } from '../worker/own-answers.ts';
import { answerInstead, enterApp, isAwake } from '../worker/request-entry.ts';
import type { Route } from '../worker/route.ts';
import { answerOf, connectionLine, writeAnswer } from './cache-answer.ts';
import { type CacheRoute, passesBy, type ReadyRule } from './cache-route.ts';
import { type CacheReport, cacheStatus, type Forwarded } from './cache-status.ts';
import { Fetch } from './fetch.ts';
import type { BodyReaderOfMany, Filling } from './filling.ts';
import type { KeptResponse } from './kept-response.ts';
import { PassingBy } from './passing-by.ts';
import type { CacheRequestFields } from './request-fields.ts';
import { mayAnswerForError, reuseOf } from './reuse.ts';
import { isNotModified } from './validators.ts';

/** One request waits for what another has asked for no longer than this; then it asks itself. */
const COLLAPSED_WAIT_MS = 10_000;

/** Where the bytes of an answer came from. */
export interface Source {
  /** Null: it is none of the app's. */
  row: RowCounter | null;
  target: string | null;
}

const FROM_THE_CACHE: Source = { row: null, target: null };

/**
 * A client's request on its way through the cache, where a look is not enough: it is answered from
 * what is kept, or reads what is fetched, with others or alone.
 */
export class CacheRequest implements Ongoing, BodyReaderOfMany {
  readonly route: CacheRoute;
  readonly rule: ReadyRule;
  readonly client: ClientConnection;
  readonly head: RequestHead;
  /** Where it would go without a cache. */
  readonly to: Route;
  readonly asked: CacheRequestFields | null;
  /** Of what may be kept of it. */
  key = '';
  position = 0;
  private readonly startedMs: number;
  private fetch: Fetch | null = null;
  private filling: Filling | null = null;
  /** What the client has been told; 0 for nothing. */
  private toldStatus = 0;
  private keep = false;

  constructor(
    route: CacheRoute,
    rule: ReadyRule,
    client: ClientConnection,
    head: RequestHead,
    to: Route,
    asked: CacheRequestFields | null,
  ) {
    this.route = route;
    this.rule = rule;
    this.client = client;
    this.head = head;
    this.to = to;
    this.asked = asked;
    this.startedMs = route.cache.edge.clock.monotonic();
  }

  /** @param kept fresh or stale; null: nothing */
  begin(key: string, kept: KeptResponse | null, nowMs: number): void {
    this.key = key;
    if (kept === null) {
      this.miss();
      return;
    }
    const reuse = reuseOf(kept.kept, this.asked?.cacheControl ?? null, nowMs);
    if (reuse.kind === 'ask') {
      this.askAbout(kept, reuse.why, nowMs);
      return;
    }
    const isStale = reuse.kind === 'stale';
    const refreshes = isStale ? reuse.refresh : nowMs >= kept.calmUntilMs;
    if (refreshes && kept.kept.staleWhileRevalidateMs > 0) this.refresh(kept, nowMs);
    this.answerKept(kept, isStale ? 'stale' : 'hits', { detail: isStale ? 'revalidating' : '' });
  }

  /** As the app is told it when it is asked for all. */
  get sharedFields(): string {
    return this.route.sharedFields(this.rule, this.head.fields);
  }

  get sharedTarget(): string {
    return keyedTarget(this.rule.rule, this.head.target);
  }

  /** Lets the app answer it as if there were no cache, and says so. */
  pass(forwarded: Forwarded = 'bypass', detail = ''): void {
    const { client, head, route, to } = this;
    const why = passesBy(head, this.rule, this.asked);
    const witness =
      why === null
        ? new PassingBy(this, forwarded, detail)
        : new PassingBy(this, why === 'method' ? 'method' : 'bypass', why === 'method' ? '' : why);
    enterApp(route.cache.edge, client, head, to, witness);
  }

  // — what is kept —

  private askAbout(kept: KeptResponse, why: 'stale' | 'request', nowMs: number): void {
    if (this.wantsOnlyKept) {
      this.answerOwn(ownAnswers.notKept);
      return;
    }
    const { staleIfErrorS } = this.rule.rule;
    const mayServe = mayAnswerForError(kept.kept, staleIfErrorS * 1000, nowMs);
    if (mayServe && this.to.isOut(nowMs)) {
      this.answerKept(kept, 'stale', { detail: 'no-target' });
    } else if (mayServe && nowMs < kept.askAgainMs) {
      this.answerKept(kept, 'stale', { detail: 'asked-in-vain' });
    } else if (this.head.method === 'HEAD') {
      this.pass(why);
    } else {
      this.join(why, kept);
    }
  }

  private refresh(kept: KeptResponse, nowMs: number): void {
    const { cache } = this.route;
    const key = this.fetchKey();
    if (cache.fetches.has(key) || nowMs < kept.askAgainMs || this.to.isOut(nowMs)) return;
    cache.counts(this.route.environment).refreshes += 1;
    new Fetch(this, { key, why: 'stale', stale: kept, behind: true }).begin();
  }

  /** @param counter of what the cache has done */
  answerKept(
    kept: KeptResponse,
    counter: 'hits' | 'stale' | 'collapsed' | null,
    report: Partial<CacheReport>,
    source: Source = FROM_THE_CACHE,
  ): void {
    const { client, head, route } = this;
    const { clock } = route.cache.edge;
    const nowMs = clock.monotonic();
    const keep = client.mayStay(head);
    const status = cacheStatus({ ...HIT, ttlS: kept.ttlS(nowMs), ...report });
    const context = { nowMs, now: clock.now(), keep, cacheStatus: status };
    const answer = answerOf(kept, head, this.asked, context);
    const counts = route.cache.counts(route.environment);
    if (counter !== null) {
      counts[counter] += 1;
      counts.savedBytes += answer.end - answer.start;
    }
    this.position = answer.end - answer.start;
    writeAnswer(client.writer, answer, kept.kept.body ?? '');
    this.end(source.row === null ? 'cached' : 'ok', answer.status, source, keep);
  }

  // — what is fetched —

  private miss(): void {
    const { asked, head, route } = this;
    const { cache } = route;
    if (this.wantsOnlyKept) this.answerOwn(ownAnswers.notKept);
    else if (asked?.range) this.pass('uri-miss', 'range');
    else if (head.method === 'HEAD') this.pass('uri-miss', 'head');
    else if (cache.isPassed(this.fetchKey(), cache.edge.clock.monotonic())) {
      this.pass('uri-miss', 'not-kept-before');
    } else this.join(cache.hasOthers(this) ? 'vary-miss' : 'uri-miss', null);
  }

  private get wantsOnlyKept(): boolean {
    return this.asked?.cacheControl?.onlyIfCached ?? false;
  }

  /** Those who would get the same share a fetch. */
  private fetchKey(): string {
    const { asked, route } = this;
    const key = route.cache.keyFor(this);
    // What one who is known gets, nobody else waits for.
    return asked?.hasAuthorization ? `${key}\n\n${route.cache.edge.requestId()}` : key;
  }

  private join(why: Forwarded, stale: KeptResponse | null): void {
    const { client, head, route, to } = this;
    const { cache } = route;
    if (!isAwake(cache.edge, client, head, to)) return;
    const key = this.fetchKey();
    client.goOnAs(this);
    const running = cache.fetches.get(key);
    this.fetch = running ?? new Fetch(this, { key, why, stale, behind: false });
    client.deadlineMs = cache.edge.clock.monotonic() + COLLAPSED_WAIT_MS;
    if (running) running.add(this);
    else this.fetch.begin();
  }

  /** It asked first: the fetch was made for it. */
  private get isFirst(): boolean {
    return this.fetch?.first === this;
  }

  /** What is fetched is not for it, or comes too late. */
  goAlone(detail: string): void {
    this.leaveFetch();
    this.client.leaveDemand(this.route.cache.edge.clock.monotonic());
    this.pass('uri-miss', detail);
  }

  /** What was asked for may be kept by now, or another fetch fits better. */
  tryAgain(): void {
    this.leaveFetch();
    this.client.leaveDemand(this.route.cache.edge.clock.monotonic());
    this.route.enter(this.client, this.head, this.to);
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
    const counter = collapsed ? 'collapsed' : isFromApp ? null : 'stale';
    const from = isFirst && isFromApp ? source : FROM_THE_CACHE;
    this.answerKept(kept, counter, { ...report, collapsed }, from);
  }

  /** The edge has to answer in the app's place. */
  onOwnAnswer(own: OwnAnswer): void {
    this.leaveFetch();
    this.answerOwn(own);
  }

  /** A body begins to come. @param lines of the response, as it is kept or, for the first, as it came */
  onFilling(filling: Filling, lines: string, report: CacheReport): void {
    const { client, head, route } = this;
    const { body, status, statusText } = filling.head;
    this.filling = filling;
    const noLength = body < 0;
    const chunked = noLength && head.minorVersion === 1;
    this.keep = client.mayStay(head) && noLength === chunked;
    this.toldStatus = status;
    const told = { ...report, collapsed: !this.isFirst };
    const text =
      `HTTP/1.1 ${statusText}\r\n${lines}Cache-Status: ${cacheStatus(told)}\r\n` +
      (chunked ? 'Transfer-Encoding: chunked\r\n' : '') +
      `${connectionLine(this.keep, head.minorVersion)}\r\n`;
    client.deadlineMs = Number.POSITIVE_INFINITY;
    client.writer.begin(text, chunked);
    if (this.isFirst || !filling.holds) return;
    route.cache.counts(route.environment).collapsed += 1;
  }

  /** Whether it has that already, by the validators of what is coming. */
  hasAlready(validators: { etag: string | null; lastModified: string | null }): boolean {
    const now = this.route.cache.edge.clock.now();
    return this.asked !== null && isNotModified(this.asked, validators, now);
  }

  /** It needs all of it before it can be answered. */
  get wantsWhole(): boolean {
    const { asked, head } = this;
    return head.method === 'HEAD' || (asked !== null && (asked.range ?? null) !== null);
  }

  /** It reads a body that is on its way. */
  get isReading(): boolean {
    return this.filling !== null;
  }

  /** Writes what has come of the body. */
  pump(): void {
    const { client, filling } = this;
    if (filling === null) return;
    const { writer } = client;
    while (!writer.blocked) {
      const bytes = filling.from(this.position);
      if (bytes === null) break;
      this.position += bytes.length;
      writer.data(bytes, 0, bytes.length);
    }
    if (!filling.isWhole || this.position < filling.sizeBytes) {
      writer.flush();
      this.setReadingDeadline();
      return;
    }
    writer.end('');
    writer.flush();
    this.finishReading(filling);
  }

  private finishReading({ head: { status }, holds, sizeBytes }: Filling): void {
    const { fetch, isFirst, route } = this;
    const source = fetch?.source ?? FROM_THE_CACHE;
    this.leaveFetch();
    if (isFirst || !holds) {
      this.end(status >= 500 ? 'app-error' : 'ok', status, source, this.keep);
      return;
    }
    route.cache.counts(route.environment).savedBytes += sizeBytes;
    this.end('cached', status, FROM_THE_CACHE, this.keep);
  }

  /** What it reads has broken off. */
  onBroken(outcome: Outcome): void {
    const hasBegun = this.toldStatus !== 0;
    const source = this.fetch?.source ?? FROM_THE_CACHE;
    const endsWithConnection = this.head.minorVersion === 0;
    this.leaveFetch();
    if (!hasBegun) {
      this.answerOwn({ ...ownAnswers.closedEarly, outcome });
      return;
    }
    this.count(outcome, this.toldStatus, source);
    if (endsWithConnection) this.client.reset();
    else this.client.destroy();
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
    if (this.fetch === null) return;
    const { source } = this.fetch;
    this.leaveFetch();
    this.count('client-aborted', this.toldStatus, source);
  }

  onDeadline(nowMs: number): void {
    if (this.filling === null) {
      if (this.isFirst) this.client.deadlineMs = nowMs + COLLAPSED_WAIT_MS;
      else this.goAlone('waited-in-vain');
    } else if (this.client.writer.progressed()) {
      this.setReadingDeadline();
    } else {
      const source = this.fetch?.source ?? FROM_THE_CACHE;
      this.leaveFetch();
      this.count('client-aborted', this.toldStatus, source);
      this.client.destroy();
    }
  }

  abandon(): void {
    const source = this.fetch?.source ?? FROM_THE_CACHE;
    this.leaveFetch();
    this.count('lost', this.toldStatus, source);
    this.client.destroy();
  }

  /** A client that reads has to go on reading; what comes from the app is the fetch's business. */
  private setReadingDeadline(): void {
    const { clock, limits } = this.route.cache.edge;
    this.client.deadlineMs = this.client.writer.blocked
      ? clock.monotonic() + limits.bodyProgressMs
      : Number.POSITIVE_INFINITY;
  }

  private leaveFetch(): void {
    const { fetch } = this;
    this.fetch = null;
    this.filling = null;
    fetch?.remove(this);
  }

  // — the end —

  private answerOwn(own: OwnAnswer): void {
    const { client, head, route, to } = this;
    const { edge } = route.cache;
    const report = { ...HIT, forwarded: 'uri-miss' as const };
    client.leaveDemand(edge.clock.monotonic());
    const fields = `${own.fields}Cache-Status: ${cacheStatus(report)}\r\n`;
    answerInstead(edge, client, head, { ...own, fields }, to);
  }

  private end(outcome: Outcome, status: number, source: Source, keep: boolean): void {
    const nowMs = this.count(outcome, status, source);
    this.client.exchangeEnded(keep, nowMs);
  }

  private count(outcome: Outcome, status: number, { row, target }: Source): number {
    const { client, head, route, startedMs, to } = this;
    const { edge } = route.cache;
    const nowMs = edge.clock.monotonic();
    const durationMs = nowMs - startedMs;
    edge.account.end(row ?? to.row, outcome, status);
    row?.recordLatency(durationMs * 1000);
    client.leaveDemand(nowMs);
    edge.accessLog?.write({
      ...{ head, target, status, outcome, durationMs },
      client: client.forwarded.clientOf(head),
      environment: route.environment,
      requestId: client.forwarded.requestId ?? '',
      bodyBytes: this.position,
    });
    return nowMs;
  }
}

const HIT: CacheReport = {
  forwarded: null,
  status: null,
  ttlS: null,
  stored: false,
  collapsed: false,
  detail: '',
};
