import type { Clock } from '../../kernel/clock.ts';
import { pathOf } from '../../model/cache-key.ts';
import { fieldOf, withoutFields } from '../http/field-lines.ts';
import { isRemovedField } from '../http/removed-fields.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { readContentRange } from './byte-ranges.ts';
import type { CacheRequest } from './cache-request.ts';
import { varyLine } from './compression.ts';
import { freshened } from './freshening.ts';
import { ageOnArrivalMs, toldAgeMs } from './freshness.ts';
import { httpDate } from './http-date.ts';
import type { Kept } from './kept-response.ts';
import { type ResponseFields, readResponseFields } from './response-fields.ts';
import { allowedBy } from './reuse.ts';
import { mayStore } from './storing.ts';
import { policyOf } from './targeted.ts';
import { varyNames } from './variant.ts';

/** When a request went out and its answer came in. */
export interface Moments {
  /** Since the epoch. */
  requestedAt: number;
  receivedAt: number;
  /** Of the same moment, by the clock that nobody sets. */
  receivedMs: number;
}

/** Those of an answer that comes now. */
export const momentsOf = (requestedAt: number, clock: Clock): Moments => ({
  requestedAt,
  receivedAt: clock.now(),
  receivedMs: clock.monotonic(),
});

/** What is to become of an answer. */
export type Verdict =
  | {
      keeps: true;
      kept: Omit<Kept, 'body' | 'bodyBytes' | 'diskId'>;
      vary: readonly string[];
      toldAgeMs: number;
    }
  | { keeps: false; why: string };

/** It is the client's being known that keeps it from being kept. */
export const isOfClient = (verdict: Verdict | null): boolean =>
  verdict?.keeps === false && verdict.why === 'authorization';

/** These are made anew for every answer. */
const MADE_ANEW = ['age', 'content-length'];
const CONTENT_RANGE: ReadonlySet<string> = new Set(['content-range']);
/** It is held while it comes, and one address has any number of parts. */
const MOST_PART_BYTES = 4 * 1024 * 1024;
const NOT_AS_PART: Verdict = { keeps: false, why: 'partial' };

/** The same of an answer to who asked for a part: nothing else is kept, for he may have made it so. */
export function verdictOnPart(
  head: ResponseHead,
  request: CacheRequest,
  moments: Moments,
  askedUnder: number,
): Verdict {
  if (head.status !== 206) return NOT_AS_PART;
  const { contentRange, etag } = readResponseFields(head.fields);
  const range = contentRange === null ? null : readContentRange(contentRange);
  const isMarked = etag?.startsWith('"') ?? false;
  // Without a mark nobody could tell what it is a part of (RFC 9110 section 15.3.7.3).
  if (range === null || range.sizeBytes === null || !isMarked) return NOT_AS_PART;
  if (head.body !== range.end - range.start) return NOT_AS_PART;
  if (head.body > MOST_PART_BYTES) return { keeps: false, why: 'too-large' };
  const verdict = verdictOn({ ...head, status: 200 }, request, moments, askedUnder);
  if (!verdict.keeps) return verdict;
  if (verdict.vary.length > 0) return NOT_AS_PART;
  const part = { start: range.start, sizeBytes: range.sizeBytes };
  const fields = withoutFields(verdict.kept.fields, CONTENT_RANGE);
  return { ...verdict, kept: { ...verdict.kept, status: 206, fields, part } };
}

/** @param askedUnder the newest purge in force when it was asked for */
export function verdictOn(
  head: ResponseHead,
  request: CacheRequest,
  moments: Moments,
  askedUnder: number,
): Verdict {
  const { asked, rule } = request;
  const { compress } = request.route.routed;
  const { control, fields } = policyOf(readResponseFields(head.fields));
  if (head.status === 206) return NOT_AS_PART;
  const storing = mayStore(
    {
      method: 'GET',
      hasAuthorization: asked?.hasAuthorization ?? false,
      noStore: asked?.cacheControl?.noStore ?? false,
    },
    head.status,
    control,
    fields,
    rule.rule,
    moments.receivedAt,
  );
  if (!storing.store) return { keeps: false, why: storing.why };
  const vary = varyNames(fields.vary);
  // Of these an app is told what the edge says, which is no part of what clients send.
  if (vary.some(isRemovedField)) return { keeps: false, why: 'vary-forwarded' };
  const names = new Set([...vary, ...rule.names]);
  const left = new Set([...MADE_ANEW, ...storing.withoutFields]);
  const lines = withoutFields(head.fields, left);
  const dated = dateLine(fields, moments.receivedAt);
  return {
    keeps: true,
    toldAgeMs: toldAgeMs(fields),
    vary: [...names].sort(),
    kept: {
      status: head.status,
      part: null,
      fields: lines + dated + (compress === true ? varyLine(head.status, lines) : ''),
      tags: [...tagsOf(fields), ...rule.rule.tags],
      path: pathOf(request.sharedTarget),
      target: request.sharedTarget,
      askedUnder,
      etag: fields.etag,
      lastModified: fields.lastModified,
      date: fields.date ?? httpDate(moments.receivedAt),
      receivedAt: moments.receivedMs,
      ageOnArrivalMs: ageOnArrivalMs(fields, moments.requestedAt, moments.receivedAt),
      lifetimeMs: storing.lifetime.seconds * 1000,
      ...allowedBy(control, rule.rule.staleWhileRevalidateS),
    },
  };
}

/** What others than the first are told of an answer while it comes. @param kept lines of it that are */
export function linesWhileFilling({ status, body, fields }: ResponseHead, kept: string): string {
  const range = status === 206 ? fieldOf(fields, 'content-range') : null;
  const lines = range === null ? kept : `${kept}Content-Range: ${range}\r\n`;
  return body >= 0 ? `${lines}Content-Length: ${body}\r\n` : lines;
}

const tagsOf = ({ cacheTag }: ResponseFields): string[] =>
  (cacheTag ?? '').split(/[\s,]+/).filter((tag) => tag !== '');

export interface Refreshed {
  kept: Kept;
  /** Else it is given once more. */
  keeps: boolean;
  /** By what it varies from now on; null: by what it did. */
  vary: readonly string[] | null;
}

/** What is kept, after the app has said that it has not changed. */
export function refreshedBy(
  { kept }: { kept: Kept },
  head: ResponseHead,
  request: CacheRequest,
  moments: Moments,
  askedUnder: number,
): Refreshed {
  const fields = freshened(kept.fields, head.fields);
  const verdict = verdictOn({ ...head, status: kept.status, fields }, request, moments, askedUnder);
  const { body, bodyBytes, diskId } = kept;
  if (verdict.keeps) {
    const vary = fieldOf(head.fields, 'vary') === null ? null : verdict.vary;
    return { kept: { ...verdict.kept, body, bodyBytes, diskId }, keeps: true, vary };
  }
  const times = readResponseFields(fields);
  const { requestedAt, receivedAt, receivedMs } = moments;
  const ageMs = ageOnArrivalMs(times, requestedAt, receivedAt);
  const lines = withoutFields(fields, new Set(MADE_ANEW)) + dateLine(times, receivedAt);
  const now = { receivedAt: receivedMs, ageOnArrivalMs: ageMs, lifetimeMs: 0, alwaysAsk: true };
  return { kept: { ...kept, fields: lines, ...now }, keeps: false, vary: null };
}

/** One without is given that of its coming (RFC 9110 section 6.6.1). */
const dateLine = ({ date }: Pick<ResponseFields, 'date'>, receivedAt: number): string =>
  date === null ? `Date: ${httpDate(receivedAt)}\r\n` : '';
