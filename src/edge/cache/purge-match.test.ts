import { expect, test } from 'vitest';
import { pathOf } from '../../model/cache-key.ts';
import { isPurgeOf } from './purge-match.ts';

const kept = (target: string, tags: string[] = []) => ({ path: pathOf(target), target, tags });

test.each([
  ['everything', '', '/a', true],
  ['path', '/a', '/a', true],
  ['path', '/a', '/a?b=1', true],
  ['path', '/a?b=1', '/a?b=1', true],
  ['path', '/a?b=1', '/a?b=2', false],
  ['path', '/a?b=1', '/a', false],
  ['path', '/a', '/a/', false],
  ['path', '/a', '/A', false],
  ['path', '/a', '/ab', false],
  ['path', '/', '/?a', true],
  ['path', '/a', '/%61', true],
  ['path', '/%61', '/a', true],
  ['path', '/k%c3%a4se', '/k%C3%A4se', true],
  ['path', '/a/b', '/a%2Fb', true],
  ['path', '/a/b', '/a%252Fb', true],
  ['path', '/a?b=%31', '/a?b=1', true],
  ['path', '/a', '/%', false],
  ['prefix', '/a', '/ab?c', true],
  ['prefix', '/a/', '/a', false],
  ['prefix', '/a/', '/%61/b', true],
  ['prefix', '/a?b', '/a?bc', true],
  ['prefix', '/a%2', '/a%2Fb', true],
  ['prefix', '/b', '/a?/b', false],
] as const)('%s %s for %s: %s', (kind, value, target, concerns) => {
  expect(isPurgeOf({ kind, value }, kept(target))).toBe(concerns);
});

test('goes by tags in their case', () => {
  const tagged = kept('/a', ['one', 'Two']);
  const isOf = (value: string) => isPurgeOf({ kind: 'tag', value }, tagged);
  expect(['one', 'Two', 'two', 'o'].map(isOf)).toEqual([true, true, false, false]);
});
