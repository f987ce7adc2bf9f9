import {
  app,
  control,
  FRESH,
  kept,
  line,
  MODIFIED,
  type Requirement,
  type Step,
  status,
  TAG,
} from './requirement.fixture.ts';

const WHEN_STALE: Partial<Step> = { afterS: 61 };
const IF_A = 'If-None-Match: "a"';
const by = (...lines: string[]): Partial<Step> => ({ sends: lines });

/** Of what is kept, whether it is what a client has. */
const asksOfKept = (
  [id, says]: readonly [string, string],
  lines: readonly string[],
  sends: string,
  code: 200 | 304,
): Requirement =>
  line(
    `has-${id}`,
    ['9111 4.3.2', 'SHOULD'],
    says,
    app([FRESH, ...lines]),
    kept({ sends: [sends], status: code }),
  );

/** RFC 9111 sections 4.3.2 and 4.3.5, RFC 9110 section 13. */
export const conditions: readonly Requirement[] = [
  asksOfKept(['tag', 'who has it is told so'], [TAG], IF_A, 304),
  asksOfKept(['tag-other', 'who has another gets it'], [TAG], 'If-None-Match: "b"', 200),
  asksOfKept(
    ['tag-list', 'who has several, one of them it, is told so'],
    [TAG],
    'If-None-Match: "b", "a"',
    304,
  ),
  asksOfKept(['tag-any', 'who has anything is told so'], [TAG], 'If-None-Match: *', 304),
  asksOfKept(['tag-any-none', 'also of what has no tag'], [], 'If-None-Match: *', 304),
  asksOfKept(['tag-weak', 'who has it weakly is told so'], [TAG], 'If-None-Match: W/"a"', 304),
  asksOfKept(['tag-weak-kept', 'also of what has a weak one'], ['ETag: W/"a"'], IF_A, 304),
  asksOfKept(['tag-none', 'of what has none nobody has it'], [], IF_A, 200),
  asksOfKept(
    ['date', 'who has one as new is told so'],
    [MODIFIED],
    'If-Modified-Since: {-600}',
    304,
  ),
  asksOfKept(
    ['date-newer', 'who has one that is newer as well'],
    [MODIFIED],
    'If-Modified-Since: {-30}',
    304,
  ),
  asksOfKept(
    ['date-older', 'who has one that is older gets it'],
    [MODIFIED],
    'If-Modified-Since: {-601}',
    200,
  ),
  asksOfKept(['date-none', 'who says no date gets it'], [MODIFIED], 'If-Modified-Since: now', 200),
  asksOfKept(
    ['date-made', 'what has no Last-Modified is as new as its Date'],
    [],
    'If-Modified-Since: {0}',
    304,
  ),
  asksOfKept(
    ['date-made-older', 'and newer than what is older'],
    [],
    'If-Modified-Since: {-1}',
    200,
  ),
  line(
    'has-both',
    ['9110 13.1.3', 'MUST'],
    'what is said of the tag counts alone',
    app([FRESH, TAG, MODIFIED]),
    kept(by('If-None-Match: "b"', 'If-Modified-Since: {0}')),
    kept({ ...by(IF_A, 'If-Modified-Since: {-6000}'), status: 304 }),
  ),
  line(
    'has-head',
    ['9110 13.2', 'SHOULD'],
    'HEAD is told so as well',
    app([FRESH, TAG]),
    kept({ request: 'HEAD /', ...by(IF_A), status: 304 }),
  ),
  line(
    'has-fields',
    ['9110 15.4.5', 'MUST'],
    'it is told what would stand in the whole answer',
    app([FRESH, TAG, 'Expires: {+60}', 'Vary: X-A', 'Content-Location: /b']),
    kept({
      ...by(IF_A),
      afterS: 30,
      status: 304,
      has: [
        TAG,
        FRESH,
        'Vary: X-A',
        'Content-Location: /b',
        'Expires: {+30}',
        'Date: {-30}',
        'Age: 30',
      ],
    }),
  ),
  line(
    'has-404',
    ['9110 13.2.1', 'MUST'],
    'of what is not there nobody has it',
    app([status(404), FRESH, TAG]),
    kept({ ...by(IF_A), status: 404 }),
  ),
  line(
    'has-miss',
    ['9111 4.3.2', 'MAY'],
    'where nothing is kept all of it is asked for, and the client told whether it has it',
    app([FRESH, TAG], { ...by(IF_A), untold: ['If-None-Match'], status: 304 }),
    kept(),
  ),
  line(
    'has-match',
    ['9111 4.3.2', 'MUST'],
    'conditions for whoever has the current state are for the app: If-Match',
    app([FRESH, TAG]),
    app([status(412)], { ...by('If-Match: "b"'), told: ['If-Match: "b"'] }),
  ),
  line(
    'has-unmodified',
    ['9111 4.3.2', 'MUST'],
    'and If-Unmodified-Since',
    app([FRESH, MODIFIED]),
    app([status(412)], {
      ...by('If-Unmodified-Since: {-6000}'),
      told: ['If-Unmodified-Since: {-6000}'],
    }),
  ),
  line(
    'has-post',
    ['9110 13.2.1', 'MUST'],
    'conditions of other methods are for the app',
    app([FRESH, TAG]),
    app([], { ...by(IF_A), request: 'PUT /', body: 'a', told: [IF_A] }),
  ),

  line(
    'head-update',
    ['9111 4.3.5', 'SHOULD'],
    'an answer to HEAD makes what is kept fresh again',
    app([FRESH, TAG]),
    app([FRESH, TAG, 'X-A: 1'], {
      request: 'HEAD /',
      ...WHEN_STALE,
      app: { status: 200, lines: [FRESH, TAG, 'X-A: 1'], body: 'answer 1' },
    }),
    kept({ gets: 'answer 1', has: ['X-A: 1'] }),
  ),
  line(
    'head-other-tag',
    ['9111 4.3.5', 'SHOULD'],
    'one with another tag says that it is not right any more',
    app([FRESH, TAG]),
    app([FRESH, 'ETag: "b"'], { request: 'HEAD /', ...by(control('no-cache')) }),
    app(FRESH),
  ),
  line(
    'head-other-length',
    ['9111 4.3.5', 'SHOULD'],
    'so does one with another length',
    app([FRESH, TAG]),
    app([{ body: 'longer than before' }, FRESH, TAG], {
      request: 'HEAD /',
      ...by(control('no-cache')),
    }),
    app(FRESH),
  ),
  line(
    'head-other-date',
    ['9111 4.3.5', 'SHOULD'],
    'and one that was modified since',
    app([FRESH, MODIFIED]),
    app([{ body: 'answer 1' }, FRESH, 'Last-Modified: {-5}'], {
      request: 'HEAD /',
      ...by(control('no-cache')),
    }),
    app(FRESH),
  ),
];
