import { describe, expect, it } from 'vitest';
import { hostName } from './host.ts';

describe('the name in a Host', () => {
  it.each([
    ['a.localhost', 'a.localhost'],
    ['A.LocalHost:8080', 'a.localhost'],
    ['a.localhost.', 'a.localhost'],
    ['a.localhost.:80', 'a.localhost'],
    ['a:', 'a'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]:80', '[::1]'],
    ['[FE80::A]', '[fe80::a]'],
    ['a_b-c.d', 'a_b-c.d'],
  ])('of %s is %s', (authority, name) => {
    expect(hostName(authority)).toBe(name);
  });

  it.each([
    '',
    '.',
    '.a',
    ':80',
    'a b',
    'a/b',
    'a@b',
    'a:b',
    'a:1:2',
    '[a',
    '[]',
    '::1',
    'a%',
    'ä',
  ])('is none in %j', (authority) => {
    expect(hostName(authority)).toBeNull();
  });
});
