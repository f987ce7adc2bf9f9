import type { Answer } from '../http/answer.ts';
import type { BodySink } from '../http/body-reader.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { Deadlined } from '../worker/deadlines.ts';
import { Exchange } from '../worker/exchange.ts';
import { ownAnswers } from '../worker/own-answers.ts';
import type { CacheReader } from './cache-reader.ts';
import type { CacheRequest, Source } from './cache-request.ts';
import type { CacheReport } from './cache-status.ts';
import type { DiskWriter } from './disk/disk-store.ts';
import { FetchClient } from './fetch-client.ts';
import { type FetchReason, requestFor } from './fetch-request.ts';
import { FetchedResponse, type FetchedResponseUser, NOWHERE } from './fetched-response.ts';
import { Filling } from './filling.ts';
import { isAbout } from './freshening.ts';
import {
  isOfClient,
  linesWhileFilling,
  momentsOf,
  type Refreshed,
  refreshedBy,
  type Verdict,
  verdictOn,
  verdictOnPart,
} from './keeping.ts';
import { KeptResponse } from './kept-response.ts';
import { variantOf } from './response-cache.ts';
import { readResponseFields } from './response-fields.ts';
import { isForOthers, mayAnswerForError } from './reuse.ts';

/** After the app could not be asked about what is kept, it is not tried again for so long. */
const ASK_AGAIN_MS = 2_000;
/** In the place of these what is stale may answer (RFC 5861 section 4). */
const FAILURES = new Set([500, 502, 503, 504]);
const DISK_LOOK_MS = 20;

/**
 * A request of the cache's own, whose answer all get who ask the same. It goes on whatever its
 * readers do, and has the targets, retries and deadlines that every request has.
 */
export class Fetch extends FetchClient implements FetchedResponseUser, Deadlined {
  readonly response = new FetchedResponse(this);
  /** Where its answer comes from. */
  source: Source = { row: null, target: null };
  private readonly origin: CacheRequest;
  private readonly reason: FetchReason;
  /** Under which others find it. */
  private key: string;
  /** The newest purge in force when it began. */
  readonly askedUnder: number;
  private readonly requestedAt: number;
  private readonly exchange: Exchange;
  private readonly readers = new Set<CacheReader>();
  private filling: Filling | null = null;
  private verdict: Verdict | null = null;
  private isOutdated = false;
  /** All has come, and goes to the disk. */
  private isWriting = false;
  private ended = false;

  constructor(origin: CacheRequest, reason: FetchReason) {
    const { route, to } = origin;
    const { edge } = route.cache;
    super(origin, reason.stale);
    this.origin = origin;
    this.reason = reason;
    this.key = reason.key;
    this.askedUnder = route.purge;
    this.requestedAt = edge.clock.now();
    this.exchange = new Exchange(edge, this, requestFor(origin, reason), to);
  }

  begin(): void {
    const { cache } = this.origin.route;
    if (!this.reason.alone) cache.fetches.set(this.key, this);
    cache.underWay.add(this);
    cache.edge.deadlines.add(this);
    this.exchange.begin(null);
  }

  // — its readers —

  add(reader: CacheReader): void {
    this.readers.add(reader);
    if (this.filling !== null) this.show(reader, this.filling);
    if (reader.isReading) reader.pump();
  }

  /** One has what it wanted, or wants it no more. */
  remove(reader: CacheReader): void {
    const { filling } = this;
    if (!this.readers.delete(reader)) return;
    if (this.readers.size === 0 && (this.ended || filling?.isWhole)) filling?.release();
    if (this.ended || filling === null || filling.holds) return;
    // Nobody is left who wants what is not kept.
    if (this.readers.size === 0 && !filling.isWhole) this.abandon();
    else this.onReaderDrain();
  }

  /** Something has changed under a key: what is asked for there is not to be kept. */
  outdate(key: string): void {
    if (this.key !== key && !this.key.startsWith(`${key}\n`)) return;
    this.isOutdated = true;
    this.leaveTable();
  }

  /** A reader has taken something. */
  onReaderDrain(): void {
    const { filling } = this;
    if (filling === null || !this.writer.blocked) return;
    this.writer.blocked = filling.trim(this.readers);
    if (!this.writer.blocked) this.exchange.onClientDrain();
  }

  // — what the app answers —

  /** It is for whoever asked; the others are told what is final. */
  onInterim(head: ResponseHead): void {
    for (const reader of this.readers) if (reader.isFirst) reader.onInterim(head);
  }

  onHead(head: ResponseHead): BodySink {
    const { origin, reason } = this;
    const { edge } = origin.route.cache;
    const { target } = this.exchange;
    this.source = { row: target?.row ?? null, target: target?.id ?? null };
    const moments = momentsOf(this.requestedAt, edge.clock);
    const { stale } = reason;
    if (stale !== null && head.status === 304) {
      if (!isAbout(stale.kept, readResponseFields(head.fields))) this.onOther();
      else
        this.onUnchanged(stale, refreshedBy(stale, head, origin, moments, this.askedUnder), head);
      return NOWHERE;
    }
    if (FAILURES.has(head.status) && this.answersForError(head.status, moments.receivedMs))
      return NOWHERE;
    const look = reason.isPart ? verdictOnPart : verdictOn;
    const verdict = look(head, origin, moments, this.askedUnder);
    this.verdict = this.mayKeepFrom(verdict);
    const { disk, mostBodyBytes } = origin.route.cache;
    const isTooLarge = head.body > mostBodyBytes && disk === null;
    if (isTooLarge && this.verdict.keeps) this.verdict = { keeps: false, why: 'too-large' };
    const { keeps } = this.verdict;
    const filling = new Filling(head, keeps, mostBodyBytes, () => this.makeSpill(head));
    this.filling = filling;
    if (!keeps) this.onNotKept(filling);
    else if (!reason.isPart) this.moveTo(origin.route.cache.expect(origin, this.verdict.vary));
    for (const reader of [...this.readers]) this.show(reader, filling);
    return filling;
  }

  onMore(): boolean {
    const { filling } = this;
    if (filling === null) return false;
    for (const reader of this.readers) reader.pump();
    if (!filling.holds && this.verdict?.keeps) this.giveUpKeeping(filling);
    this.writer.blocked = filling.trim(this.readers);
    if (this.writer.blocked && filling.spill !== null) this.lookAgain();
    return this.writer.blocked;
  }

  /** The disk says nothing when it has taken what it was given. */
  private lookAgain(): void {
    const { clock } = this.origin.route.cache.edge;
    clock.after(DISK_LOOK_MS, () => {
      this.onReaderDrain();
      if (this.writer.blocked && !this.ended) this.lookAgain();
    });
  }

  private makeSpill(head: ResponseHead): DiskWriter | null {
    const { cache } = this.origin.route;
    if (!this.verdict?.keeps || cache.disk === null || this.reason.isPart) return null;
    const sizeBytes = head.body >= 0 ? head.body : null;
    const kept = { ...this.verdict.kept, bodyBytes: sizeBytes ?? 0 };
    return cache.disk.create(this.ownKey, kept, sizeBytes);
  }

  /** The key of what it brings. */
  private get ownKey(): string {
    const vary = this.verdict?.keeps ? this.verdict.vary : [];
    return this.origin.route.cache.keyUnder(this.origin, vary);
  }

  onWhole(trailers: string): void {
    const { filling, verdict } = this;
    if (filling === null) return;
    filling.isWhole = true;
    filling.trailers = trailers;
    const kept = filling.holds && verdict?.keeps ? this.keptOf(filling, verdict) : null;
    if (kept === null) this.leaveTable();
    else if (filling.spill !== null) void this.keepOnDisk(filling, kept);
    else this.keep(kept);
    for (const reader of [...this.readers]) {
      if (reader.isReading) reader.pump();
      else if (kept === null) reader.tryAgain();
      else if (filling.spill === null)
        reader.onKept(kept, this.report(filling.head.status), this.source, true);
    }
    if (this.readers.size === 0) filling.release();
  }

  private show(reader: CacheReader, filling: Filling): void {
    const { verdict } = this;
    if (verdict?.keeps !== true) {
      const lines = filling.head.fields + this.response.moreFields;
      if (reader.isFirst) reader.onFilling(filling, lines, this.report(filling.head.status));
      return;
    }
    if (!reader.isFirst && !isForOthers(verdict.kept, verdict.toldAgeMs))
      reader.goAlone('asked-each-time');
    else if (!this.isFor(reader.request)) reader.tryAgain();
    else if (reader.wantsWhole && !this.reason.isPart) return;
    else if (filling.head.status === 200 && reader.hasAlready(verdict.kept)) return;
    else {
      const { head } = filling;
      // The first gets what came as it came.
      const lines = reader.isFirst ? head.fields : linesWhileFilling(head, verdict.kept.fields);
      reader.onFilling(filling, lines, this.report(head.status));
    }
  }

  /** Whether what it brings is what another asks for, as far as it is known by what it varies. */
  isFor(request: CacheRequest): boolean {
    const { origin, verdict } = this;
    if (request === origin || verdict?.keeps !== true || verdict.vary.length === 0) return true;
    const [asked, ours] = [request.sharedFields, origin.sharedFields];
    return variantOf('', verdict.vary, asked) === variantOf('', verdict.vary, ours);
  }

  private mayKeepFrom(verdict: Verdict): Verdict {
    const isOwn = this.origin.route.isOwn(this.source.row?.place);
    return verdict.keeps && !isOwn ? { keeps: false, why: 'other-version' } : verdict;
  }

  /** Who waited for it asks for itself, and who comes next does not wait. */
  private onNotKept(filling: Filling): void {
    const { origin, reason } = this;
    const { cache } = origin.route;
    const { status } = filling.head;
    this.leaveTable();
    const nowMs = cache.edge.clock.monotonic();
    // That somebody is known says nothing of what others would get.
    if (isOfClient(this.verdict)) cache.passNext(origin.passKey, nowMs);
    else if (status < 500) {
      cache.passNext(this.key, nowMs);
      if (reason.stale !== null) cache.delete(origin);
    }
    for (const reader of [...this.readers]) if (!reader.isFirst) reader.onNotKept(status, reason);
    // Nobody is left who could have it.
    if (this.readers.size === 0) this.abandon();
  }

  /** It has become larger than what is kept. */
  private giveUpKeeping(filling: Filling): void {
    const { origin } = this;
    this.verdict = { keeps: false, why: 'too-large' };
    this.leaveTable();
    origin.route.cache.passNext(this.key, origin.route.cache.edge.clock.monotonic());
    for (const reader of [...this.readers]) if (!reader.isReading) reader.goAlone('too-large');
    if (this.readers.size === 0 && !filling.isWhole) this.abandon();
  }

  private keptOf(filling: Filling, { kept }: Verdict & { keeps: true }): KeptResponse {
    const { sizeBytes: bodyBytes, spill } = filling;
    const body = spill === null ? filling.body() : null;
    const whole = { ...kept, body, bodyBytes, diskId: spill?.id ?? null };
    return new KeptResponse(whole, this.origin.route.cache.random());
  }

  private keep(kept: KeptResponse): void {
    const { origin, verdict } = this;
    const { cache } = origin.route;
    if (this.isOutdated || !verdict?.keeps) return;
    if (cache.put(origin, verdict.vary, kept)) cache.expectNext(this.key);
  }

  /** Those who want a part of it have to wait until it is there for all. */
  private async keepOnDisk(filling: Filling, kept: KeptResponse): Promise<void> {
    const { cache } = this.origin.route;
    const head = this.isOutdated ? null : (cache.disk?.headOf(kept.kept) ?? null);
    this.isWriting = true;
    const isThere = await filling.endSpill(head);
    if (isThere && this.isOutdated) cache.disk?.delete(this.ownKey);
    else if (isThere) this.keep(kept);
    cache.underWay.delete(this);
    for (const reader of [...this.readers]) if (!reader.isReading) reader.tryAgain();
  }

  private onUnchanged(stale: KeptResponse, refreshed: Refreshed, head: ResponseHead): void {
    const { kept, keeps, vary } = refreshed;
    const { origin } = this;
    const { cache } = origin.route;
    const response = new KeptResponse(kept, cache.random());
    const isOwn = origin.route.isOwn(this.source.row?.place);
    if (!keeps) cache.delete(origin);
    else if (!this.isOutdated && isOwn) cache.update(origin, vary, stale, response);
    this.leaveTable();
    for (const reader of [...this.readers]) {
      if (!reader.isFirst && !isForOthers(response.kept)) reader.goAlone('asked-each-time');
      else reader.onKept(response, this.report(head.status), this.source, true);
    }
  }

  /** The app speaks of something else than what is kept (RFC 9111 section 4.3.4). */
  private onOther(): void {
    this.origin.route.cache.delete(this.origin);
    this.leaveTable();
    for (const reader of [...this.readers]) reader.tryAgain();
  }

  /** What is kept answers although the app fails. */
  private answersForError(status: number | null, nowMs: number): boolean {
    const { stale } = this.reason;
    const errorMs = this.origin.rule.rule.staleIfErrorS * 1000;
    if (stale === null || !mayAnswerForError(stale.kept, errorMs, nowMs)) return false;
    stale.askAgainMs = nowMs + ASK_AGAIN_MS;
    this.leaveTable();
    const report = { ...this.report(status), detail: 'error' };
    for (const reader of [...this.readers]) reader.onKept(stale, report, this.source, false);
    return true;
  }

  private report(status: number | null): CacheReport {
    const { verdict, reason } = this;
    const stored = verdict?.keeps ?? false;
    return {
      forwarded: reason.why,
      status,
      ttlS: null,
      stored,
      collapsed: false,
      detail: verdict !== null && !verdict.keeps ? verdict.why : '',
    };
  }

  // — as the client of its exchange —

  exchangeEnded(): void {
    this.end();
  }

  answer(answer: Answer): void {
    const nowMs = this.origin.route.cache.edge.clock.monotonic();
    if (this.answersForError(null, nowMs)) return;
    this.leaveTable();
    const { status, text, fields = '' } = answer;
    const own = { status, text, fields, outcome: this.lastOutcome };
    for (const reader of [...this.readers]) reader.onOwnAnswer(own);
  }

  refuse(): void {
    this.answer({ ...ownAnswers.notHttp, close: false });
    this.end();
  }

  onDeadline(nowMs: number): void {
    this.exchange.onDeadline(nowMs);
  }

  /** Gives it up; whoever reads it is cut off. */
  abandon(): void {
    if (!this.ended) this.exchange.onClientGone();
    this.breakOff();
  }

  protected breakOff(): void {
    this.end();
    const { filling } = this;
    if (filling?.isWhole === false) void filling.endSpill(null);
    if (this.readers.size === 0) filling?.release();
    for (const reader of [...this.readers]) reader.onBroken(this.lastOutcome);
  }

  /** By what has come of it, others find it there. */
  private moveTo(key: string): void {
    const { fetches } = this.origin.route.cache;
    if (key === this.key || fetches.get(this.key) !== this) return;
    this.leaveTable();
    this.key = key;
    if (!fetches.has(key)) fetches.set(key, this);
  }

  private leaveTable(): void {
    const { fetches } = this.origin.route.cache;
    if (fetches.get(this.key) === this) fetches.delete(this.key);
  }

  private end(): void {
    const { cache, environment } = this.origin.route;
    if (!this.ended) cache.counts(environment).appBytes += this.filling?.sizeBytes ?? 0;
    this.ended = true;
    this.leaveTable();
    if (!this.isWriting) cache.underWay.delete(this);
    cache.edge.deadlines.remove(this);
  }
}
