import type { CacheRule } from '../../../model/cache.ts';

/**
 * What the RFCs require of a shared cache, a line each: what clients ask in turn, what the app answers
 * when it is asked, and what is seen of that at both ends.
 */
export interface Requirement {
  /** Says which it is, in reports; unique. */
  id: string;
  /** RFC and section. */
  rfc: string;
  level: 'MUST' | 'SHOULD' | 'MAY';
  /** In words of our own. */
  says: string;
  rule: Partial<CacheRule>;
  steps: readonly Step[];
}

/** An answer of the app: `Date` and `Content-Length` come of themselves. */
export interface Said {
  status: number;
  /**
   * Header lines. `{+60}` stands for the date in a minute; `Date:` alone and `Content-Length:` alone for
   * no such line.
   */
  lines: readonly string[];
  /** Left out: `answer`, and which step it is. */
  body?: string;
  /** In the place of a length. `cut`: less comes than the length says; `dead`: nothing at all. */
  ends?: 'chunked' | 'chunked-cut' | 'close' | 'cut' | 'dead';
  /** Heads before it. */
  interim?: string;
}

/** One request, and what comes of it. */
export interface Step {
  /** Passes before it. */
  afterS: number;
  /** Method and target; the target is another for each line of the table. */
  request: string;
  /** Header lines of the client. */
  sends: readonly string[];
  body: string;
  /** What the app answers to what it is asked from now on; null: it must not be asked. */
  app: Said | null;
  /** What it answers when it is asked again for the same. */
  again: readonly Said[];
  /** The app is asked behind the answer, and not for it. */
  isBehind: boolean;
  /** In the request that the app gets: these lines, and no lines of these names. */
  told: readonly string[];
  untold: readonly string[];
  /** In the answer that the client gets. */
  status: number;
  /** Null: that of the last answer of the app with one. */
  gets: string | null;
  has: readonly string[];
  lacks: readonly string[];
  /** Heads before it, as they come. */
  before: string;
  /** What Cache-Status says in it. */
  reports: readonly string[];
}

export function line(
  id: string,
  [rfc, level]: readonly [string, Requirement['level']],
  says: string,
  ...steps: readonly Step[]
): Requirement {
  return { id, rfc, level, says, rule: {}, steps };
}

/** The same where the operator has said more than nothing. */
export const ruled = (rule: Partial<CacheRule>, requirement: Requirement): Requirement => ({
  ...requirement,
  rule,
});

const STEP: Step = {
  afterS: 0,
  request: 'GET /',
  sends: [],
  body: '',
  app: null,
  again: [],
  isBehind: false,
  told: [],
  untold: [],
  status: 200,
  gets: null,
  has: [],
  lacks: [],
  before: '',
  reports: [],
};

export type SaidPart = string | Partial<Said>;

/** A status if it is not 200, how it ends, and header lines. */
export function saidOf(parts: readonly SaidPart[]): Said {
  const said: Said = { status: 200, lines: [] };
  for (const part of parts) {
    if (typeof part === 'string') said.lines = [...said.lines, part];
    else Object.assign(said, part);
  }
  return said;
}

/** The app is asked, and the client gets what it answers. */
export function app(parts: SaidPart | readonly SaidPart[], more: Partial<Step> = {}): Step {
  const said = saidOf(Array.isArray(parts) ? parts : [parts as SaidPart]);
  return { ...STEP, app: said, status: said.status, ...more };
}

/** The app is not asked: the client gets what is kept. */
export const kept = (more: Partial<Step> = {}): Step => ({ ...STEP, ...more });

/** The app is asked, answers this, and the client gets what is kept. */
export const keptAfter = (
  parts: SaidPart | readonly SaidPart[],
  more: Partial<Step> = {},
): Step => ({
  ...app(parts, more),
  status: more.status ?? 200,
  gets: more.gets ?? KEPT,
});

/** The client gets what is kept, and the app is asked behind it. */
export const keptBefore = (
  parts: SaidPart | readonly SaidPart[],
  more: Partial<Step> = {},
): Step => ({
  ...keptAfter(parts, more),
  isBehind: true,
});

/** Stands for the body of the last answer that is kept. */
export const KEPT = '<kept>';
/** Stands for a body of the edge's own. */
export const ANYTHING = '<anything>';
/** The app breaks off the connection. */
export const DEAD: Partial<Said> = { ends: 'dead' };

// — what is often said —

export const control = (directives: string): string => `Cache-Control: ${directives}`;
export const FRESH = control('max-age=60');
export const TAG = 'ETag: "a"';
export const MODIFIED = 'Last-Modified: {-600}';
export const status = (code: number): Partial<Said> => ({ status: code });
export const UNCHANGED = status(304);
