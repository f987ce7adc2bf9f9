import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type CacheRule, HONOUR_THE_APP, type Names } from './cache.ts';
import { keyedCookies, keyedTarget, pathOf, ruleFor } from './cache-key.ts';

const only = (...names: string[]): Names => ({ mode: 'only', names });
const except = (...names: string[]): Names => ({ mode: 'except', names });

describe('the rule of a path', () => {
  const rules: CacheRule[] = ['/a', '/b/*', '/b/c/*', '/*.css'].map((path) => ({
    ...HONOUR_THE_APP,
    path,
  }));

  it.each([
    ['/a', '/a'],
    ['/b/c/d', '/b/*'],
    ['/b/x.css', '/b/*'],
    ['/x.css', '/*.css'],
    ['/x', '/*'],
    ['/A', '/*'],
  ])('for %s is that of %s', (path, found) => {
    expect(ruleFor(rules, path).path).toBe(found);
  });
});

describe('the path of a target', () => {
  it.each([
    ['/a?b?c', '/a'],
    ['/a?', '/a'],
    ['/a%3Fb', '/a%3Fb'],
  ])('%s is %s', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });
});

describe('the query in a key', () => {
  test.each<[string, Names, string, string]>([
    ['all as it was written', except(), '/a?b=1&&b=1&=&c#', '/a?b=1&&b=1&=&c#'],
    ['an empty one where all count', except(), '/a?', '/a?'],
    ['nothing', only(), '/a?b=1', '/a'],
    ['no mark where none is left', only('x'), '/a?b=1&c', '/a'],
    ['none where there is none', only('x'), '/a', '/a'],
    ['the named ones, in their order', only('c', 'b'), '/a?b=1&x=2&c=3', '/a?b=1&c=3'],
    ['each of several of a name', only('b'), '/a?b=1&x&b=2', '/a?b=1&b=2'],
    ['one without a value', only('b'), '/a?b&x', '/a?b'],
    ['one with an empty value', only('b'), '/a?b=&x', '/a?b='],
    ['one whose value has equals signs', only('b'), '/a?b=c=d&x', '/a?b=c=d'],
    ['names in their case', only('b'), '/a?B=1', '/a'],
    ['names that only begin so', only('b'), '/a?bc=1', '/a'],
    ['names that begin so, with a star', only('b*'), '/a?bc=1&b=2&cb=3', '/a?bc=1&b=2'],
    ['encoded names', only('page'), '/a?%70age=1', '/a?%70age=1'],
    ['names with brackets', only('f[a]'), '/a?f%5Ba%5D=1&f[b]=2', '/a?f%5Ba%5D=1'],
    ['names with a plus for a space', only('a b'), '/a?a+b=1&a%20b=2', '/a?a+b=1&a%20b=2'],
    ['no name that cannot be decoded', only('page'), '/a?%7=1&page=2', '/a?page=2'],
    ['nothing behind an encoded ampersand', only('b'), '/a?x=1%26b=2', '/a'],
    [
      'what stands behind a semicolon with what is before it',
      only('b'),
      '/a?b=1;x=2',
      '/a?b=1;x=2',
    ],
    ['… and without', only('b'), '/a?x=1;b=2', '/a'],
    ['no name that a mark belongs to', only('b'), '/a??b=1', '/a'],
    ['all but some', except('utm_*', 'gclid'), '/a?utm_a=1&b=2&gclid=3', '/a?b=2'],
    ['all but some, encoded', except('utm_*'), '/a?utm%5fa=1&b=2', '/a?b=2'],
    ['all but some, with what is behind a semicolon', except('utm_*'), '/a?utm_a=1;b=2', '/a'],
    ['an empty parameter where it is not left out', except('x'), '/a?&b', '/a?&b'],
  ])('has %s', (_, query, target, key) => {
    expect(keyedTarget({ query }, target)).toBe(key);
  });

  test('is what the app is asked with: cut twice it is the same', () => {
    const piece = fc.constantFrom('a', 'b', 'utm_', '=', '&', ';', '%61', '%', '+', '?', '%26', '');
    const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/x?${pieces.join('')}`);
    const query = fc.constantFrom(only('a'), only('a*', 'b'), except('a'), except('utm_*'), only());
    fc.assert(
      fc.property(target, query, (written, said) => {
        const key = keyedTarget({ query: said }, written);
        expect(keyedTarget({ query: said }, key)).toBe(key);
      }),
      { numRuns: 500 },
    );
  });

  test('has nothing that an app would read under a name that does not count', () => {
    const piece = fc.constantFrom('a', 'b', '=', '&', '%61', '%62', '1', '%26');
    const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/x?${pieces.join('')}`);
    fc.assert(
      fc.property(target, (written) => {
        const [, query = ''] = keyedTarget({ query: only('a') }, written).split('?');
        const read = [...new URLSearchParams(query).keys()];
        expect(read.filter((name) => name !== 'a')).toEqual([]);
        const [, before = ''] = written.split('?');
        const all = new URLSearchParams(before).getAll('a');
        expect(new URLSearchParams(query).getAll('a')).toEqual(all);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the cookies in a key', () => {
  it.each([
    ['those that are named', ['b'], 'a=1; b=2; c=3', 'b=2'],
    ['in the order of the names', ['b', 'a'], 'a=1; b=2', 'b=2; a=1'],
    ['the first of two', ['a'], 'a=1; a=2', 'a=1'],
    ['none where none is there', ['a'], 'b=1', ''],
    ['an empty one', ['a'], 'a=', 'a='],
    ['one without spaces before it', ['b'], 'a=1;b=2', 'b=2'],
    ['one whose value has equals signs', ['a'], 'a=b=c', 'a=b=c'],
    ['none without a name', ['', 'a'], '=1; a', ''],
    ['names in their case', ['a'], 'A=1', ''],
    ['what stands in the quotes of another, as apps read it', ['a'], 'b="x; a=1"', 'a=1"'],
  ])('are %s', (_, names, cookies, key) => {
    expect(keyedCookies(names, cookies)).toBe(key);
  });
});
