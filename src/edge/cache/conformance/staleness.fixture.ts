import {
  ANYTHING,
  app,
  control,
  DEAD,
  FRESH,
  kept,
  keptAfter,
  keptBefore,
  line,
  type Requirement,
  ruled,
  type Step,
  status,
  TAG,
  UNCHANGED,
} from './requirement.fixture.ts';

const by = (...lines: string[]): Partial<Step> => ({ sends: lines });
const _cdn = (directives: string): string => `CDN-Cache-Control: ${directives}`;
const WHILE = control('max-age=60, stale-while-revalidate=30');
const IF_ERROR = control('max-age=60, stale-if-error=30');
const IN_VAIN: Partial<Step> = { afterS: 61 };

/** RFC 5861: what is stale answers at once, or in the place of errors. */
export const staleness: readonly Requirement[] = [
  line(
    'while',
    ['5861 3', 'SHOULD'],
    'what is stale answers while it is asked about',
    app([WHILE, TAG]),
    keptBefore([UNCHANGED, TAG], { afterS: 61, told: ['If-None-Match: "a"'], has: ['Age: 61'] }),
    kept({ afterS: 30, has: ['Age: 30'] }),
  ),
  line(
    'while-new',
    ['5861 3', 'SHOULD'],
    'and what comes then is used from then on',
    app(WHILE),
    keptBefore(FRESH, { afterS: 61 }),
    kept({ gets: 'answer 2' }),
  ),
  line(
    'while-over',
    ['5861 3', 'MUST'],
    'not longer than the app allows',
    app(WHILE),
    app(FRESH, { afterS: 90 }),
  ),
  line(
    'while-head',
    ['5861 3', 'MAY'],
    'HEAD gets it as well',
    app(WHILE),
    keptBefore(FRESH, { afterS: 61, request: 'HEAD /' }),
  ),
  line(
    'while-has',
    ['5861 3', 'MAY'],
    'who has it is told so',
    app([WHILE, TAG]),
    keptBefore([UNCHANGED, TAG], { afterS: 61, ...by('If-None-Match: "a"'), status: 304 }),
  ),
  line(
    'while-must',
    ['9111 5.2.2.2', 'MUST'],
    'not where it must be asked about first',
    app([control('max-age=60, must-revalidate, stale-while-revalidate=30'), TAG]),
    keptAfter([UNCHANGED, TAG], { afterS: 61 }),
  ),
  line(
    'while-no-cache',
    ['9111 5.2.2.4', 'MUST'],
    'not with no-cache',
    app([control('no-cache, stale-while-revalidate=30'), TAG]),
    keptAfter([UNCHANGED, TAG], { afterS: 1 }),
  ),
  line(
    'while-shared',
    ['5861 3', 'MAY'],
    'but with s-maxage, where the app says both',
    app(control('s-maxage=60, stale-while-revalidate=30')),
    keptBefore(FRESH, { afterS: 61 }),
  ),
  line(
    'while-asked',
    ['9111 5.2.1.4', 'SHOULD'],
    'not for who wants it asked about',
    app(WHILE),
    app(FRESH, { afterS: 61, ...by(control('no-cache')) }),
  ),
  ruled(
    { staleWhileRevalidateS: 30 },
    line(
      'while-rule',
      ['5861 3', 'MAY'],
      'the operator may say it where the app does not',
      app(FRESH),
      keptBefore(FRESH, { afterS: 61 }),
    ),
  ),
  ruled(
    { staleWhileRevalidateS: 30 },
    line(
      'while-rule-app',
      ['5861 3', 'MUST'],
      'but not against the app',
      app(control('max-age=60, stale-while-revalidate=0')),
      app(FRESH, { afterS: 61 }),
    ),
  ),

  ...[500, 502, 503, 504].map((code) =>
    line(
      `if-error-${code}`,
      ['5861 4', 'MAY'],
      `what is stale answers in the place of a ${code}`,
      app([IF_ERROR, TAG]),
      keptAfter(status(code), { afterS: 61, has: ['Age: 61'] }),
    ),
  ),
  ...[400, 403, 404, 410, 501].map((code) =>
    line(
      `if-error-${code}`,
      ['5861 4', 'MUST'],
      `not in that of a ${code}`,
      app([IF_ERROR, TAG]),
      app(status(code), { afterS: 61 }),
    ),
  ),
  line(
    'if-error-dead',
    ['5861 4', 'MAY'],
    'and in that of no answer',
    app(IF_ERROR),
    keptAfter(DEAD, IN_VAIN),
  ),
  line(
    'if-error-over',
    ['5861 4', 'MUST'],
    'not longer than the app allows',
    app(IF_ERROR),
    app(DEAD, { afterS: 90, status: 502, gets: ANYTHING }),
  ),
  line(
    'if-error-after',
    ['5861 4', 'MUST'],
    'a good answer takes its place again',
    app(IF_ERROR),
    keptAfter(status(503), IN_VAIN),
    app(FRESH, { afterS: 5 }),
  ),
  line(
    'if-error-shared',
    ['5861 4', 'MAY'],
    'with s-maxage, where the app says both',
    app(control('s-maxage=60, stale-if-error=30')),
    keptAfter(status(503), IN_VAIN),
  ),
  ruled(
    { staleIfErrorS: 30 },
    line(
      'if-error-rule',
      ['9111 4.2.4', 'MAY'],
      'the operator may say it where the app does not',
      app(FRESH),
      keptAfter(status(503), IN_VAIN),
    ),
  ),
  ruled(
    { staleIfErrorS: 30 },
    line(
      'if-error-rule-app',
      ['5861 4', 'MUST'],
      'but not against the app',
      app(control('max-age=60, stale-if-error=0')),
      app(status(503), IN_VAIN),
    ),
  ),
];

/** RFC 8246. */
export const immutable: readonly Requirement[] = [
  line(
    'immutable',
    ['8246 2', 'SHOULD'],
    'what never changes is not asked about for a reload',
    app([control('max-age=60, immutable'), TAG]),
    kept({ afterS: 1, ...by(control('max-age=0')) }),
  ),
  line(
    'immutable-insist',
    ['8246 2', 'SHOULD'],
    'but for who insists',
    app([control('max-age=60, immutable'), TAG]),
    keptAfter([UNCHANGED, TAG], by(control('no-cache'))),
  ),
  line(
    'immutable-stale',
    ['8246 2', 'MUST'],
    'it is stale as all else is',
    app([control('max-age=60, immutable'), TAG]),
    keptAfter([UNCHANGED, TAG], { afterS: 61 }),
  ),
  line(
    'immutable-alone',
    ['8246 2', 'MUST'],
    'it is no lifetime',
    app(control('immutable')),
    app(FRESH),
  ),
];
