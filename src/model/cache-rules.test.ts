import { describe, expect, it } from 'vitest';
import { type CacheRule, HONOUR_THE_APP } from './cache.ts';
import { CacheRules } from './cache-rules.ts';

const rule = (path: string, bypass = false): CacheRule => ({ ...HONOUR_THE_APP, path, bypass });

/** The path of the rule that is found; empty for none. */
function found(rules: readonly CacheRule[], path: string): string {
  return rules[new CacheRules(rules).find(path)]?.path ?? '';
}

describe('the rule of a path', () => {
  const rules = [rule('/a'), rule('/b/*'), rule('/b/c/*'), rule('/*.css')];

  it.each([
    ['/a', '/a'],
    ['/b/c/d', '/b/*'],
    ['/b/x.css', '/b/*'],
    ['/x.css', '/*.css'],
    ['/x', ''],
    ['/A', ''],
    ['/%61', ''],
    ['/a/', ''],
  ])('%s is the first that matches as it is written: %s', (path, expected) => {
    expect(found(rules, path)).toBe(expected);
  });
});

describe('a path of which nothing is kept', () => {
  const rules = [
    rule('/admin/open/*'),
    rule('/admin/*', true),
    rule('/caf%C3%A9', true),
    rule('/*'),
  ];

  it.each([
    '/admin/x',
    '/Admin/x',
    '/%61dmin/x',
    '/%2561dmin/x',
    '/admin%2fx',
    '//admin/x',
    '/./admin/x',
    '/y/../admin/x',
    '/y/%2e%2e/admin/x',
    '/y/..;z/admin/x',
    '/admin;z/x',
    '/y\\..\\admin\\x',
  ])('is not walked around by %s', (path) => {
    expect(found(rules, path)).toBe('/admin/*');
  });

  it.each([
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/CAF%C3%A9/', '/caf%C3%A9'],
    ['/ADMIN/open/x', '/*'],
    ['/admin/open/X', '/admin/open/*'],
    ['/administration/', '/*'],
    ['/B', '/*'],
  ])('where it is written %s: %s', (path, expected) => {
    expect(found(rules, path)).toBe(expected);
  });
});
