import { expect, it, test } from 'vitest';
import type { Fault } from '../kernel/fault.ts';
import type { PurgeRequest } from '../model/cache-view.ts';
import { readPurges } from './cache-purge-request.ts';

const path = (value: string): PurgeRequest => ({ kind: 'path', value });
const prefix = (value: string): PurgeRequest => ({ kind: 'prefix', value });
const tag = (value: string): PurgeRequest => ({ kind: 'tag', value });
const everything: PurgeRequest = { kind: 'everything', value: '' };

function refusal(asked: readonly PurgeRequest[]): Fault {
  try {
    readPurges(asked);
  } catch (fault) {
    return fault as Fault;
  }
  throw new Error('it was not refused');
}

const cases: [string, PurgeRequest[], what: string, hint: string][] = [
  ['nothing', [], 'nothing is named', '--everything'],
  ['everything and more', [everything, path('/a')], 'something else', 'leave out --everything'],
  ['everything twice', [everything, everything], 'together', 'leave out'],
  ['everything of a value', [{ kind: 'everything', value: '/' }], 'has a value', 'empty'],
  ['a path without a slash', [path('a')], "path 'a' does not begin with /", 'write /a'],
  [
    'an address',
    [path('http://x.test:80/a?b#c')],
    'does not begin',
    'all names of the environment: /a?b',
  ],
  ['an address of no path', [path('https://x.test')], 'does not begin', ': /'],
  ['an empty path', [path('')], "path '' is empty", '--path /a'],
  ['an empty prefix', [prefix('')], "prefix '' is empty", '--prefix /assets/'],
  ['an empty tag', [tag('')], "tag '' is empty", '--tag catalog'],
  ['a star in the middle', [path('/a/*/b')], 'a * that is not its end', '--prefix'],
  ['two stars', [prefix('/a/**')], 'a * that is not its end', '--prefix'],
  ['a fragment', [path('/a#b')], 'has a #', 'leave out'],
  ['a space', [path('/a b')], 'has a space', '/a%20b'],
  ['a letter that is no ASCII', [path('/käse')], "has 'ä'", '/k%C3%A4se'],
  ['a letter of two units', [path('/🧀')], "has '🧀'", '/%F0%9F%A7%80'],
  ['half a letter', [path('/\ud800')], 'has', '/%EF%BF%BD'],
  ['a control character', [path('/a\nb')], "path '/a?b' has a control character", 'leave it out'],
  ['a path of 4,001 characters', [path(`/${'a'.repeat(4_000)}`)], '4001 characters', 'prefix'],
  ['two tags in one', [tag('a, b')], 'is no tag', '--tag of its own'],
  ['a tag of 4,001 characters', [tag('a'.repeat(4_001))], '4001 characters', 'prefix'],
  [
    '1,001 paths',
    Array.from({ length: 1_001 }, (_, n) => path(`/${n}`)),
    '1001 are named',
    'in common',
  ],
];

test.each(cases)('is refused, and told how to write it: %s', (_, asked, what, hint) => {
  const fault = refusal(asked);
  expect(fault.code).toBe('bad-purge');
  expect(fault.message).toContain('nothing was purged: ');
  expect(fault.message).toContain(what);
  expect(fault.hint).toContain(hint);
});

it('is refused with all that is beside it, and every problem is told', () => {
  expect(refusal([path('/a'), path('b'), tag('')]).message.split('\n')).toEqual([
    'nothing was purged: 2 of 3 are malformed',
    "path 'b' does not begin with /",
    "tag '' is empty",
  ]);
});

it('is what it says otherwise, and a prefix where it ends with a star', () => {
  const plain = [path('/a?b=%20'), path('/'), prefix('/x'), tag('a*')];
  expect(readPurges(plain)).toEqual(plain);
  expect(readPurges([path('/a/*'), prefix('/x*'), path('/*')])).toEqual([
    prefix('/a/'),
    prefix('/x'),
    prefix('/'),
  ]);
  expect(readPurges([everything])).toEqual([everything]);
});
