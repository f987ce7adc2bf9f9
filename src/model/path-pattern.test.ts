import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pathPattern } from './path-pattern.ts';

describe('pathPattern', () => {
  test.each([
    ['/a', '/a', true],
    ['/a', '/a/', false],
    ['/a', '/A', false],
    ['/a', '/ab', false],
    ['/', '/', true],
    ['/', '/a', false],
    ['/*', '/', true],
    ['/*', '/a/b', true],
    ['/assets/*', '/assets/', true],
    ['/assets/*', '/assets/a/b.css', true],
    ['/assets/*', '/assets', false],
    ['/*.css', '/a/b.css', true],
    ['/*.css', '/.css', true],
    ['/*.css', '/a.css.map', false],
    ['/a*a', '/a', false],
    ['/a*a', '/aa', true],
    ['/a/*/b', '/a/x/y/b', true],
    ['/a/*/b', '/a/b', false],
    ['/a/*/b', '/a//b', true],
    ['/*/img/*.png', '/x/img/y.png', true],
    ['/*/img/*.png', '/img/y.png', false],
    ['/*/img/*.png', '/x/img.png', false],
    ['/*ab*ba', '/aba', false],
    ['/*ab*ba', '/abba', true],
    ['/**', '/a', true],
    ['/a**b', '/ab', true],
    ['/a.c', '/abc', false],
    ['/a?', '/ab', false],
    ['/(x)*', '/(x)y', true],
  ])('%s for %s: %s', (pattern, path, matches) => {
    expect(pathPattern(pattern)(path)).toBe(matches);
  });

  test('agrees with a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 8 });
    const path = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 });
    fc.assert(
      fc.property(text, path, (rest, other) => {
        const pattern = `/${rest}`;
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
        expect(pathPattern(pattern)(`/${other}`)).toBe(expression.test(`/${other}`));
      }),
      { numRuns: 500 },
    );
  });

  test('does not take longer for a pattern of many stars', () => {
    const matches = pathPattern(`/${'*a'.repeat(500)}*b`);
    expect(matches(`/${'a'.repeat(100_000)}`)).toBe(false);
  });
});
