import {
  app,
  control,
  FRESH,
  kept,
  keptAfter,
  line,
  type Requirement,
  ruled,
  type Step,
  status,
  TAG,
  UNCHANGED,
} from './requirement.fixture.ts';

const by = (...lines: string[]): Partial<Step> => ({ sends: lines });
const IF_ERROR = control('max-age=60, stale-if-error=30');
const IN_VAIN: Partial<Step> = { afterS: 61 };

/** RFC 9211: every answer says what the cache did. */
export const reports: readonly Requirement[] = [
  line(
    'report-hit',
    ['9211 2.1', 'MUST'],
    'a hit says so, and how long it is fresh',
    app(FRESH, { reports: ['fwd=uri-miss', 'fwd-status=200', 'stored'] }),
    kept({ afterS: 20, reports: ['hit', 'ttl=40'] }),
  ),
  line(
    'report-not-stored',
    ['9211 2.5', 'MUST'],
    'what is not stored is not said to be',
    app([status(404)], { reports: ['fwd=uri-miss', 'fwd-status=404', 'detail=not-allowed'] }),
  ),
  line(
    'report-vary',
    ['9211 2.2', 'SHOULD'],
    'another variant is a miss of its own',
    app([FRESH, 'Vary: X-A'], by('X-A: 1')),
    app([FRESH, 'Vary: X-A'], { ...by('X-A: 2'), reports: ['fwd=vary-miss', 'stored'] }),
  ),
  line(
    'report-stale',
    ['9211 2.2', 'SHOULD'],
    'what was stale says so, and what the app said of it',
    app([FRESH, TAG]),
    keptAfter([UNCHANGED, TAG], { afterS: 61, reports: ['fwd=stale', 'fwd-status=304'] }),
  ),
  line(
    'report-request',
    ['9211 2.2', 'SHOULD'],
    'what the client wanted asked about says so',
    app([FRESH, TAG]),
    keptAfter([UNCHANGED, TAG], {
      ...by(control('no-cache')),
      reports: ['fwd=request', 'fwd-status=304'],
    }),
  ),
  line(
    'report-method',
    ['9211 2.2', 'SHOULD'],
    'a method that goes through says so',
    app([], { request: 'POST /', reports: ['fwd=method', 'fwd-status=200'] }),
  ),
  ruled(
    { bypass: true },
    line(
      'report-bypass',
      ['9211 2.2', 'SHOULD'],
      'a rule that lets it by says so',
      app(FRESH, { reports: ['fwd=bypass', 'detail=rule'] }),
    ),
  ),
  line(
    'report-used-stale',
    ['9211 2.4', 'MUST'],
    'what is used stale has less than nothing left',
    app(FRESH),
    kept({ afterS: 70, ...by(control('max-stale')), reports: ['hit', 'ttl=-10'] }),
  ),
  line(
    'report-error',
    ['9211 2.1', 'SHOULD'],
    'what answers for an app says why',
    app(IF_ERROR),
    keptAfter(status(503), {
      ...IN_VAIN,
      reports: ['fwd=stale', 'fwd-status=503', 'detail=error'],
    }),
  ),
  line(
    'report-not-modified',
    ['9211 2', 'SHOULD'],
    'a 304 says it too',
    app([FRESH, TAG]),
    kept({ ...by('If-None-Match: "a"'), status: 304, reports: ['hit', 'ttl=60'] }),
  ),
  line(
    'report-part',
    ['9211 2', 'SHOULD'],
    'a part says it too',
    app(FRESH),
    kept({ ...by('Range: bytes=0-0'), status: 206, gets: 'a', reports: ['hit'] }),
  ),
  line(
    'report-others',
    ['9211 2', 'SHOULD'],
    'what a cache behind us says stands before it',
    app([FRESH, 'Cache-Status: Inner; hit'], { has: ['Cache-Status: Inner; hit'] }),
    kept({ has: ['Cache-Status: Inner; hit'] }),
  ),
];
