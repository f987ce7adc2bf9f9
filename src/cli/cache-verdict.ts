import type { CacheReport } from './cache-report.ts';
import type { EdgeAnswer } from './edge-request.ts';
import { formatDuration } from './quantity.ts';

/** What the cache decided about one request, in words. */
export interface Verdict {
  /**
   * hit, stale: answered from what is kept. stored: by the app, and kept now. passed: by the app, and
   * not kept. failed: by nobody.
   */
  decision: 'hit' | 'stale' | 'stored' | 'passed' | 'failed';
  /** In a sentence. */
  why: string;
  /** What to do about it; null: nothing needs to be done. */
  next: string | null;
}

/** @param report null: the cache has said nothing */
export function verdictOf(
  report: CacheReport | null,
  { status, fields }: Pick<EdgeAnswer, 'status' | 'fields'>,
): Verdict {
  if (report === null) {
    return {
      decision: 'failed',
      why: `the edge answered ${status} without asking its cache`,
      next: 'see why in the access log: belay edge set --access-log json',
    };
  }
  const { forwarded, stored, detail, ttlS } = report;
  const ageS = Number(fields.age ?? 0);
  if (forwarded === null) return ttlS !== null && ttlS <= 0 ? stale(ttlS, detail) : hit(ageS, ttlS);
  if (stored) return kept(report, ttlS);
  if (detail === 'error') {
    const what = report.forwardedStatus === null ? 'failed' : `answered ${report.forwardedStatus}`;
    return {
      decision: 'stale',
      why: `the app ${what}, so what is kept answered in its place (stale-if-error)`,
      next: 'see what is wrong with it: belay logs',
    };
  }
  if (report.forwardedStatus === null) {
    return {
      decision: 'failed',
      why: `the app did not answer, and the edge said ${status}`,
      next: 'see how it does: belay status',
    };
  }
  const [why, next] = WHY_PASSED[detail || forwarded] ?? [
    `the edge says: ${detail || forwarded}`,
    null,
  ];
  return { decision: 'passed', why: why.replace('STATUS', String(report.forwardedStatus)), next };
}

function hit(ageS: number, ttlS: number | null): Verdict {
  const rest = ttlS === null ? '' : `, fresh for another ${seconds(ttlS)}`;
  return {
    decision: 'hit',
    why: `answered from what is kept, ${seconds(ageS)} old${rest}`,
    next: null,
  };
}

function stale(ttlS: number, detail: string): Verdict {
  const since = `it has been stale for ${seconds(-ttlS)}`;
  const [why, next] = WHY_STALE[detail] ?? ['it may be used all the same', null];
  return { decision: 'stale', why: `answered from what is kept: ${since}, and ${why}`, next };
}

function kept({ forwarded, collapsed }: CacheReport, ttlS: number | null): Verdict {
  const time = ttlS === null ? '' : ` for ${seconds(ttlS)}`;
  const asked = collapsed ? 'the app was being asked for somebody else' : ASKED[forwarded ?? ''];
  return {
    decision: 'stored',
    why: `${asked ?? 'the app was asked'}, and its answer is kept${time}`,
    next: null,
  };
}

const seconds = (count: number): string => formatDuration(count * 1_000).replace('.0 s', ' s');

/** By why the request went on. */
const ASKED: Readonly<Record<string, string>> = {
  'uri-miss': 'nothing was kept for this key, so the app was asked',
  'vary-miss': 'what is kept is for other request fields (Vary), so the app was asked',
  stale: 'what was kept had become stale, so the app was asked again',
  request: 'the request wanted it from the app (Cache-Control), so it was asked',
};

type Words = readonly [why: string, next: string | null];

const WHY_STALE: Readonly<Record<string, Words>> = {
  revalidating: ['the app is being asked again behind it (stale-while-revalidate)', null],
  'no-target': ['no instance could be asked (stale-if-error)', 'see what is wrong: belay status'],
  'asked-in-vain': [
    'the app failed a moment ago, so it is not asked again yet (stale-if-error)',
    'see what is wrong with it: belay logs',
  ],
};

const SAY_PUBLIC =
  'where it is the same for everybody, let the app say so: Cache-Control: public, max-age=60';

/** By the edge's own word, else by why the request went on. */
const WHY_PASSED: Readonly<Record<string, Words>> = {
  private: ['the app says private: it is for one person alone', SAY_PUBLIC],
  'no-store': ['the app says no-store', SAY_PUBLIC],
  'no-cache': [
    'the app says no-cache, and nothing to ask about it by',
    'let it give an ETag, so that it can be asked whether it has changed',
  ],
  'set-cookie': [
    'the app sets a cookie, which is for one person alone',
    'let it set none on this path, or say that all but it may be kept: Cache-Control: no-cache="set-cookie"',
  ],
  authorization: [
    'the request has Authorization, and the app does not say that its answer is for all',
    'where it is, let the app say public, or s-maxage=60',
  ],
  'not-allowed': [
    'neither the app nor a rule says for how long it may be kept',
    "let the app say it: Cache-Control: max-age=60, or a rule: edge: { cache: { '/path': '1m' } }",
  ],
  'vary-star': ['the app says Vary: *, so that no two requests are alike', 'let it name fields'],
  'vary-forwarded': [
    'it varies by a field that the edge itself makes, such as X-Forwarded-For',
    'let the app leave it out of Vary where its answer does not depend on it',
  ],
  status: ['answers of STATUS are not kept', null],
  'request-no-store': ['the request says no-store', 'ask without it'],
  partial: ['the app answered with a part of it alone (206)', 'let it answer with the whole'],
  'too-large': [
    'it is larger than one answer may be in the cache',
    'give it more room: belay edge set --cache-memory 256mb',
  ],
  'other-version': [
    'it came from another version than the one whose answers are kept',
    'ask again when the deployment has ended',
  ],
  'not-kept': ['another asked for the same just now, and that answer was not kept', 'ask again'],
  'asked-each-time': [
    'another asked for the same just now, and each use has to be asked about (no-cache)',
    null,
  ],
  'uri-miss': [
    'an answer to it was not kept a moment ago, so that this one passed by; it might be kept',
    'ask again',
  ],
  'waited-in-vain': ['another asked for the same, and its answer was too long in coming', null],
  range: ['a part of it is asked for, and the whole is not kept yet', 'ask for the whole once'],
  head: ['only its head is asked for, and it is not kept yet', 'ask by GET once'],
  rule: ['the rule says bypass', 'take that from the rule, where answers may be kept'],
  body: ['the request has a body, and what is in it is in no key', 'ask without one'],
  upgrade: ['the request asks to change the protocol', null],
  override: ['the request overrides its method or its address by a field', 'ask without it'],
  condition: ['If-Match and If-Unmodified-Since are for whoever has the current state', null],
  method: ['only answers to GET and HEAD are kept', null],
  bypass: ['it passes by the cache', null],
};
