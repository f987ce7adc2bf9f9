import { pathOf } from '../../model/cache-key.ts';
import { withoutFields } from '../http/field-lines.ts';
import { isRemovedField } from '../http/removed-fields.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { CacheRequest } from './cache-request.ts';
import { varyLine } from './compression.ts';
import { freshened } from './freshening.ts';
import { ageOnArrivalMs } from './freshness.ts';
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

/** What is to become of an answer. */
export type Verdict =
  | { keeps: true; kept: Omit<Kept, 'body' | 'bodyBytes' | 'diskId'>; vary: readonly string[] }
  | { keeps: false; why: string };

/** These are made anew for every answer. */
const MADE_ANEW = ['age', 'content-length'];

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
  if (head.status === 206) return { keeps: false, why: 'partial' };
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
  const dated = fields.date === null ? `Date: ${httpDate(moments.receivedAt)}\r\n` : '';
  return {
    keeps: true,
    vary: [...names].sort(),
    kept: {
      status: head.status,
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

const tagsOf = ({ cacheTag }: ResponseFields): string[] =>
  (cacheTag ?? '').split(/[\s,]+/).filter((tag) => tag !== '');

/** What is kept, after the app has said that it has not changed. @returns null: it may not be kept */
export function refreshedBy(
  { kept }: { kept: Kept },
  head: ResponseHead,
  request: CacheRequest,
  moments: Moments,
  askedUnder: number,
): Kept | null {
  const fields = freshened(kept.fields, head.fields);
  const verdict = verdictOn({ ...head, status: kept.status, fields }, request, moments, askedUnder);
  if (!verdict.keeps) return null;
  const { body, bodyBytes, diskId } = kept;
  return { ...verdict.kept, body, bodyBytes, diskId };
}
