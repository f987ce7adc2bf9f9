import { keyedTarget } from '../../model/cache-key.ts';
import type { Outcome } from '../../model/ledger.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { RowCounter } from '../worker/account.ts';
import type { ClientConnection } from '../worker/client-connection.ts';
import { type OwnAnswer, ownAnswers } from '../worker/own-answers.ts';
import { answerInstead, enterApp, isAwake } from '../worker/request-entry.ts';
import type { Route } from '../worker/route.ts';
import { answerOf, writeAnswer } from './cache-answer.ts';
import { CacheReader, COLLAPSED_WAIT_MS } from './cache-reader.ts';
import { type CacheRoute, passesBy, type ReadyRule } from './cache-route.ts';
import { type CacheReport, cacheStatus, type Forwarded } from './cache-status.ts';
import { DiskStream } from './disk-stream.ts';
import { DiskWait } from './disk-wait.ts';
import { Fetch } from './fetch.ts';
import type { KeptResponse } from './kept-response.ts';
import { hasPart, isPart } from './parts.ts';
import { PassingBy } from './passing-by.ts';
import { PassingUnkept } from './passing-unkept.ts';
import type { CacheRequestFields } from './request-fields.ts';
import { isForOthers, mayAnswerForError, reuseOf } from './reuse.ts';
import { isNotModified } from './validators.ts';

/** Where the bytes of an answer came from. */
export interface Source {
  /** Null: it is none of the app's. */
  row: RowCounter | null;
  target: string | null;
}

export const FROM_THE_CACHE: Source = { row: null, target: null };

/** How a client's request has ended. */
export interface RequestEnd {
  outcome: Outcome;
  /** 0 for none. */
  status: number;
  source: Source;
  bodyBytes: number;
}

/**
 * A client's request on its way through the cache, where a look is not enough: it is answered from
 * what is kept, waits for what is fetched, or passes by.
 */
export class CacheRequest {
  readonly route: CacheRoute;
  readonly rule: ReadyRule;
  readonly client: ClientConnection;
  readonly head: RequestHead;
  /** Where it would go without a cache. */
  readonly to: Route;
  readonly asked: CacheRequestFields | null;
  /** Of what may be kept of it. */
  key = '';
  private readonly startedMs: number;
  private hasLookedOnDisk = false;

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

  /**
   * Memory may have more by now than when it began.
   *
   * @param kept of the disk; memory may have had no room for it
   */
  goOn(kept: KeptResponse | null = null): void {
    const { head, key, route, rule } = this;
    const found = route.cache.find(key, route, rule, head) ?? kept;
    this.begin(key, found, route.cache.edge.clock.monotonic());
  }

  /** Under which it is remembered that what was asked for so could not be kept. */
  get passKey(): string {
    const key = this.route.cache.keyFor(this);
    return this.asked?.hasAuthorization ? `${key}\n\nknown` : key;
  }

  private get isPassed(): boolean {
    const { cache } = this.route;
    return cache.isPassed(this.passKey, cache.edge.clock.monotonic());
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
    // What is said to a HEAD may change what is kept for all, and so it is asked as for all.
    const isForAll = head.method === 'HEAD' && this.key !== '';
    const asked = isForAll
      ? { ...head, target: this.sharedTarget, fields: this.sharedFields }
      : head;
    enterApp(route.cache.edge, client, asked, to, witness);
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
    } else if (mayServe && (nowMs < kept.askAgainMs || this.isAskedInVain(nowMs))) {
      this.answerKept(kept, 'stale', { detail: 'asked-in-vain' });
    } else if (this.head.method === 'HEAD') {
      this.pass(why);
    } else {
      this.join(why, kept);
    }
  }

  /** Others have waited long for an answer that has not begun to come. */
  private isAskedInVain(nowMs: number): boolean {
    const { cache } = this.route;
    const running = cache.fetches.get(cache.keyFor(this));
    if (!running || running.response.head !== null) return false;
    return nowMs - running.startedMs >= COLLAPSED_WAIT_MS;
  }

  private refresh(kept: KeptResponse, nowMs: number): void {
    const { cache } = this.route;
    const key = cache.keyFor(this);
    const isUnderWay = cache.fetches.has(key);
    if (isUnderWay || this.wantsNothingStored || nowMs < kept.askAgainMs) return;
    if (this.to.isOut(nowMs)) return;
    cache.counts(this.route.environment).refreshes += 1;
    new Fetch(this, { ...REFRESH, key, stale: kept }).begin();
  }

  /** @param counter of what the cache has done */
  answerKept(
    found: KeptResponse,
    counter: 'hits' | 'stale' | 'collapsed' | 'stored',
    report: Partial<CacheReport>,
    source: Source = FROM_THE_CACHE,
  ): void {
    const { client, head, route } = this;
    const { clock } = route.cache.edge;
    const nowMs = clock.monotonic();
    const kept = this.takesAsItIs(found) ? found : route.formOf(found, this.key, this.rule, head);
    const keep = client.mayStay(head);
    const status = cacheStatus(route.name, { ...HIT, ttlS: kept.ttlS(nowMs), ...report });
    const context = { nowMs, now: clock.now(), keep, cacheStatus: status };
    const answer = answerOf(kept, head, this.asked, context);
    const counts = route.cache.counts(route.environment);
    counts[counter] += 1;
    counts.savedBytes += answer.end - answer.start;
    const bodyBytes = answer.end - answer.start;
    const { body, diskId } = kept.kept;
    if (body === null && bodyBytes > 0 && route.cache.disk !== null) {
      new DiskStream(this, answer, keep).begin(route.cache.disk, diskId);
      return;
    }
    writeAnswer(client.writer, answer, body ?? '');
    const outcome = source.row === null ? 'cached' : 'ok';
    this.end({ outcome, status: answer.status, source, bodyBytes }, keep);
  }

  /** Parts of it are of what it is uncompressed, and so is what a client has that has it already. */
  private takesAsItIs({ kept }: KeptResponse): boolean {
    const { asked, route } = this;
    if (asked === null) return false;
    return asked.range !== null || isNotModified(asked, kept, route.cache.edge.clock.now());
  }

  // — what is fetched —

  private miss(): void {
    const { asked, head, route } = this;
    const { cache } = route;
    const { isPassed } = this;
    if (!this.hasLookedOnDisk && cache.disk?.isOn && !isPassed) {
      this.hasLookedOnDisk = true;
      new DiskWait(this).begin();
    } else if (this.wantsOnlyKept) this.answerOwn(ownAnswers.notKept);
    else if (asked?.range) this.missPart(asked);
    else if (head.method === 'HEAD') this.pass('uri-miss', 'head');
    else if (isPassed && tellsAll(this.rule)) this.passUnkept();
    else this.join(cache.hasOthers(this) ? 'vary-miss' : 'uri-miss', null);
  }

  private missPart(asked: CacheRequestFields): void {
    const { cache } = this.route;
    const { clock } = cache.edge;
    const part = cache.findPart(this);
    const now = clock.now();
    const isThere = part !== null && isPart(part.kept) && hasPart(part.kept, asked, now);
    const nowMs = clock.monotonic();
    if (isThere && reuseOf(part.kept, asked.cacheControl, nowMs).kind === 'fresh') {
      this.answerKept(part, 'hits', {});
      return;
    }
    const isMore = asked.ifNoneMatch !== null || asked.ifModifiedSince !== null;
    const isPassed = cache.isPassed(this.partKey, nowMs);
    const isOther = this.head.method === 'HEAD' || cache.hasOthers(this);
    if (isOther || isMore || isPassed) this.pass('uri-miss', 'range');
    else this.join(part === null ? 'uri-miss' : 'partial', null);
  }

  /** Those who ask for the same part wait for one of them. */
  private get partKey(): string {
    return `${this.key}\n\npart ${this.asked?.range} ${this.asked?.ifRange}`;
  }

  /** What was not kept a moment ago costs no more than without a cache. */
  private passUnkept(): void {
    const { client, head, route, to } = this;
    enterApp(route.cache.edge, client, head, to, new PassingUnkept(this));
  }

  private get wantsOnlyKept(): boolean {
    return this.asked?.cacheControl?.onlyIfCached ?? false;
  }

  private get wantsNothingStored(): boolean {
    return this.asked?.cacheControl?.noStore ?? false;
  }

  /** Asks, or waits for one who does. @param failures of others, in turn, while it waited for them */
  join(why: Forwarded, stale: KeptResponse | null, failures = 0): void {
    const { client, head, route, to } = this;
    const { cache } = route;
    // Who wants nothing stored is not to take what is stored from others either.
    if (this.wantsNothingStored) {
      this.pass(why, 'request-no-store');
      return;
    }
    if (!isAwake(cache.edge, client, head, to)) return;
    const asksPart = stale === null && (this.asked?.range ?? null) !== null;
    const key = asksPart ? this.partKey : cache.keyFor(this);
    // What one who is known gets, what was not kept before, or is asked about for each who asks,
    // nobody waits for.
    const asksEach = stale !== null && !isForOthers(stale.kept);
    const alone = (this.asked?.hasAuthorization ?? false) || this.isPassed || asksEach;
    const found = alone ? undefined : cache.fetches.get(key);
    // What was asked for before a purge may be what was purged.
    const isRight = found !== undefined && found.askedUnder >= route.purge && found.isFor(this);
    const running = isRight ? found : undefined;
    const fetch =
      running ?? new Fetch(this, { key, why, stale, alone, failures, isPart: asksPart });
    const reader = new CacheReader(this, fetch, running === undefined);
    client.goOnAs(reader);
    fetch.add(reader);
    if (running === undefined) fetch.begin();
  }

  // — the end —

  /** The edge answers itself. */
  answerOwn(own: OwnAnswer): void {
    const { client, head, route, to } = this;
    const { edge } = route.cache;
    const report = { ...HIT, forwarded: 'uri-miss' as const };
    client.leaveDemand(edge.clock.monotonic());
    const fields = `${own.fields}Cache-Status: ${cacheStatus(route.name, report)}\r\n`;
    answerInstead(edge, client, head, { ...own, fields }, to);
  }

  end(end: RequestEnd, keep: boolean): void {
    const nowMs = this.count(end);
    this.client.exchangeEnded(keep, nowMs);
  }

  /** @returns the moment of its end */
  count({ outcome, status, source, bodyBytes }: RequestEnd): number {
    const { client, head, route, startedMs, to } = this;
    const { row, target } = source;
    const { edge } = route.cache;
    const nowMs = edge.clock.monotonic();
    const durationMs = nowMs - startedMs;
    edge.account.end(row ?? to.row, outcome, status);
    row?.recordLatency(durationMs * 1000);
    client.leaveDemand(nowMs);
    edge.accessLog?.write({
      ...{ head, target, status, outcome, bodyBytes, durationMs },
      client: client.forwarded.clientOf(head),
      environment: route.environment,
      requestId: client.forwarded.requestId ?? '',
    });
    return nowMs;
  }
}

/** The app is told of a request that is made for all what it is told without a cache. */
const tellsAll = ({ cutsQuery, hidden }: ReadyRule): boolean => !cutsQuery && hidden.size === 0;

/** What is stale is asked about behind the answer. */
const REFRESH = { why: 'stale', alone: false, failures: 0, isPart: false } as const;

const HIT: CacheReport = {
  forwarded: null,
  status: null,
  ttlS: null,
  stored: false,
  collapsed: false,
  detail: '',
};
