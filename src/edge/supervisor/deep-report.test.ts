import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDeepReport } from './deep-report.ts';

const read = (body: unknown, passed = false) =>
  readDeepReport(
    passed,
    { status: passed ? 200 : 503, body: typeof body === 'string' ? body : JSON.stringify(body) },
    'GET /readyz',
  );

const refused = [
  { name: 'db', passed: false, detail: 'connection refused' },
  { name: 'cache', passed: true, detail: '' },
];

describe('the parts of a deep check', () => {
  it.each([
    [
      'health+json',
      {
        status: 'fail',
        checks: {
          cache: [{ status: 'pass', observedValue: 12 }],
          db: [
            { status: 'pass', componentId: 'a' },
            { status: 'fail', output: 'connection refused' },
          ],
        },
      },
    ],
    [
      'MicroProfile Health',
      {
        status: 'DOWN',
        checks: [
          { name: 'cache', status: 'UP' },
          { name: 'db', status: 'DOWN', data: { error: 'connection refused' } },
        ],
      },
    ],
    [
      'Spring Boot',
      {
        status: 'DOWN',
        components: {
          cache: { status: 'UP', details: { version: '8' } },
          db: { status: 'DOWN', details: { error: 'connection refused' } },
        },
      },
    ],
    [
      'Terminus',
      {
        status: 'error',
        info: { cache: { status: 'up' } },
        error: { db: { status: 'down', message: 'connection refused' } },
        details: {
          cache: { status: 'up' },
          db: { status: 'down', message: 'connection refused' },
        },
      },
    ],
    [
      'ASP.NET Core',
      {
        status: 'Unhealthy',
        entries: {
          cache: { status: 'Healthy', duration: '00:00:00.01' },
          db: { status: 'Unhealthy', description: 'connection refused' },
        },
      },
    ],
    ['parts', { parts: { cache: true, db: 'connection refused' } }],
    [
      'plain names',
      { cache: 'ok', db: { status: 'fail', error: { message: 'connection refused' } } },
    ],
  ])('are read from %s', (_shape, body) => {
    expect(read(body)).toEqual({
      passed: false,
      description: 'db: connection refused',
      parts: refused,
    });
  });

  it('are not made of what else a plain answer says', () => {
    const body = { status: 'ok', version: '1.2.3', uptime: 12, host: 'web-1', db: 'ok', tags: [] };
    expect(read(body, true).parts).toEqual([{ name: 'db', passed: true, detail: '' }]);
  });

  it.each([
    ['no JSON', 'OK'],
    ['JSON of no shape', '[1, 2, 3]'],
    ['a number', '1'],
    ['nothing', ''],
    ['JSON that is cut off', '{"checks": {"db": [{"status": "fa'],
    ['nesting without end', '['.repeat(60_000)],
    ['objects without end', `${'{"data":'.repeat(8_000)}1${'}'.repeat(8_000)}`],
    ['only a status', '{"status": "ok", "ok": true}'],
  ])('are none in %s: then the status speaks alone', (_what, body) => {
    expect(read(body, true)).toEqual({ passed: true, description: '', parts: [] });
    expect(read(body)).toEqual({
      passed: false,
      description: 'answered 503 to GET /readyz',
      parts: [],
    });
  });

  it.each(['pass', 'PASS', 'ok', 'Up', 'healthy', 'true', true])('are well when %s', (status) => {
    expect(read({ checks: { db: { status } } }).parts).toMatchObject([{ passed: true }]);
  });

  it.each(['fail', 'warn', 'DOWN', 'Degraded', 'asleep', '', false])(
    'are not well when %s',
    (status) => {
      expect(read({ checks: { db: { status } } }).parts).toMatchObject([{ passed: false }]);
    },
  );

  it('do not make a check fail whose status passes', () => {
    const report = read({ checks: { db: [{ status: 'warn', output: 'slow' }] } }, true);
    expect(report).toEqual({
      passed: true,
      description: '',
      parts: [{ name: 'db', passed: false, detail: 'slow' }],
    });
  });

  it('carry no control characters, escapes or line ends', () => {
    const { parts } = read({
      checks: {
        'd\u001b[2Jb\u202e': { status: 'fail', output: 'no\r\n\u0007 route\u2028to \u009bit' },
      },
    });
    expect(parts).toEqual([{ name: 'd [2Jb', passed: false, detail: 'no route to it' }]);
  });

  it('are bounded in number and length, those that fail first', () => {
    const names = Array.from({ length: 100 }, (_, i) => `part-${i}-${'x'.repeat(100)}`);
    const checks = Object.fromEntries(
      names.map((name, i) => [
        name,
        { status: i === 99 ? 'fail' : 'ok', output: '😀'.repeat(5_000) },
      ]),
    );
    const { parts, description } = read({ checks });
    expect(parts).toHaveLength(32);
    expect(parts[0]).toMatchObject({ passed: false, name: expect.stringMatching(/^part-99-/) });
    expect([...(parts[0]?.name ?? '')]).toHaveLength(60);
    expect([...(parts[0]?.detail ?? '')]).toHaveLength(160);
    expect(parts[0]?.detail.isWellFormed()).toBe(true);
    expect([...description].length).toBeLessThanOrEqual(320);
  });

  it('say that they fail when they say no more', () => {
    expect(read({ db: false, cache: 'down' }).description).toBe('db fails; cache: down');
  });

  it('may have any name', () => {
    expect(read('{"checks": {"__proto__": "fail", "": "fail"}}').parts).toMatchObject([
      { name: '__proto__' },
      { name: 'unnamed' },
    ]);
  });

  it('are bounded and printable, whatever an app answers', () => {
    const unit = fc.constantFrom(...'a \u0000\u001b\u009b\u202e\u2028\ud800\udc00', '😀');
    const text = fc.string({ unit, maxLength: 300 });
    const word = fc.constantFrom('ok', 'fail', 'DOWN', '', true, false);
    const part = fc.oneof(
      ...[word, text, fc.jsonValue({ maxDepth: 2 })],
      fc.record({ name: fc.string(), status: word, output: text }),
    );
    const container = fc.constantFrom('checks', 'components', 'details', 'entries', 'parts', 'db');
    const parts = fc.oneof(part, fc.array(part), fc.dictionary(text, part));
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.dictionary(container, parts).map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(body, fc.boolean(), (answer, passed) => {
        const report = read(answer, passed);
        expect(report.passed).toBe(passed);
        expect(report.description === '').toBe(passed);
        expect(report.parts.length).toBeLessThanOrEqual(32);
        for (const { name, detail } of report.parts) {
          expect(name).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,60}$/u);
          expect(detail).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{0,160}$/u);
        }
      }),
    );
  });
});
