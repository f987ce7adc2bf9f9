import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decoded, isUnambiguous, isUnambiguousButForCase, readingsOf } from './path-readings.ts';

describe('a path', () => {
  test.each(['/', '/a', '/a/b.css', '/a-b_c~d/e+f,g=h@i:j!k', '/a.b..c', "/a'b(c)*"])(
    '%s is read alike by everybody',
    (path) => {
      expect(isUnambiguous(path)).toBe(true);
      expect(readingsOf(path)).toEqual({ cased: [path], folded: [path], crooked: false });
    },
  );

  test.each([
    ['/videos/', '/videos', false],
    ['/%76ideos/a', '/videos/a', false],
    ['/%2576ideos/a', '/videos/a', false],
    ['/videos%2fa', '/videos/a', false],
    ['//videos/a', '/videos/a', true],
    ['/videos//a', '/videos/a', true],
    ['/./videos/a', '/videos/a', true],
    ['/x/../videos/a', '/videos/a', true],
    ['/../../videos/a', '/videos/a', true],
    ['/x/%2e%2e/videos/a', '/videos/a', true],
    ['/x/%252e%252e/videos/a', '/videos/a', true],
    ['/x/..%2fvideos/a', '/videos/a', true],
    ['/x%2f..%2fvideos/a', '/videos/a', true],
    ['/x%5c..%5cvideos/a', '/videos/a', true],
    ['/x\\..\\videos/a', '/videos/a', true],
    ['/x/..;/videos/a', '/videos/a', true],
    ['/videos;v=1/a', '/videos/a', true],
    ['/videos/a;v=1', '/videos/a', true],
    ['/videos/a/.', '/videos/a', true],
    ['/videos/a/b/..', '/videos/a', true],
  ])('%s may be read as %s', (path, reading, crooked) => {
    expect(isUnambiguous(path)).toBe(false);
    const readings = readingsOf(path);
    expect(readings.cased).toContain(reading);
    expect(readings.crooked).toBe(crooked);
  });

  test('is read without its case too', () => {
    expect([isUnambiguous('/Videos'), isUnambiguousButForCase('/Videos')]).toEqual([false, true]);
    const { cased, folded } = readingsOf('/Videos/%41');
    expect(cased).toEqual(['/Videos/A']);
    expect(folded).toEqual(['/videos/a']);
  });

  test('stays the bytes it is', () => {
    expect(decoded('/caf%C3%A9')).toBe('/caf\u00c3\u00a9');
    expect(decoded('/50%')).toBe('/50%');
    expect(decoded('/%zz')).toBe('/%zz');
  });

  test('is read alike, or known to be ambiguous', () => {
    const path = fc.string({ unit: fc.constantFrom(...'aA.;%2fe5c\\/'), maxLength: 12 });
    fc.assert(
      fc.property(path, (text) => {
        const { cased, folded, crooked } = readingsOf(`/${text}`);
        if (!isUnambiguous(`/${text}`)) return;
        expect([cased, folded, crooked]).toEqual([[`/${text}`], [`/${text}`], false]);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['percent signs', `/${'%25'.repeat(2_700)}`],
    ['slashes', '/'.repeat(8_000)],
    ['parameters', `/${';'.repeat(4_000)}%0a${';'.repeat(4_000)}`],
    ['dots', '/..'.repeat(2_700)],
  ])('of nothing but %s takes no longer', (_, path) => {
    const { cased } = readingsOf(path);
    expect(cased.length).toBeLessThanOrEqual(8);
  });
});
