import { describe, expect, it } from 'vitest';
import { type CacheReport, cacheStatus } from './cache-status.ts';

const HIT: CacheReport = {
  forwarded: null,
  status: null,
  ttlS: null,
  stored: false,
  collapsed: false,
  detail: '',
};

describe('Cache-Status (RFC 9211 2)', () => {
  it.each<[Partial<CacheReport>, string]>([
    [{ ttlS: 30 }, 'belay; hit; ttl=30'],
    [{ ttlS: -30, detail: 'no-target' }, 'belay; hit; ttl=-30; detail=no-target'],
    [
      { forwarded: 'uri-miss', status: 200, stored: true },
      'belay; fwd=uri-miss; fwd-status=200; stored',
    ],
    [
      { forwarded: 'stale', status: 304, ttlS: 60, stored: true, collapsed: true },
      'belay; fwd=stale; fwd-status=304; ttl=60; stored; collapsed',
    ],
    [{ forwarded: 'bypass', detail: 'method' }, 'belay; fwd=bypass; detail=method'],
  ])('of %o is %s', (report, text) => {
    expect(cacheStatus('belay', { ...HIT, ...report })).toBe(text);
  });
});
