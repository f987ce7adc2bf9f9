import { describe, expect, it } from 'vitest';
import { DEFAULT_GROUP } from './group.ts';
import { type Release, sameContent } from './release.ts';
import { NO_SCALING } from './scaling.ts';
import { DEFAULT_TRAFFIC } from './traffic.ts';
import { ALWAYS } from './window.ts';

const release: Release = {
  environment: 'shop/production',
  number: 1,
  version: 'v1',
  configuration: {
    web: {
      start: ['node', 'server.js'],
      upstream: null,
      bootstrap: null,
      health: {
        path: '/',
        matcher: { from: 200, to: 299 },
        intervalMs: 1_000,
        timeoutMs: 500,
        healthyThreshold: 2,
        unhealthyThreshold: 2,
        body: null,
        deepPath: null,
      },
      capacity: { min: 1, desired: 1, max: 1 },
      zones: ['a'],
      size: null,
      limits: { memoryBytes: null, cpu: null },
      concurrency: null,
      group: DEFAULT_GROUP,
      scaling: NO_SCALING,
      variables: {},
      stopGraceMs: 1_000,
      drainMs: 1_000,
    },
    domains: ['shop.localhost'],
    traffic: DEFAULT_TRAFFIC,
    windows: ALWAYS,
    rollout: {
      policy: 'rolling',
      batch: 1,
      extra: 1,
      healthyMs: 0,
      startTimeoutMs: 60_000,
      keepMs: 0,
      percent: 10,
      bakeMs: 60_000,
      minRequests: 100,
      probes: [],
      patienceMs: 600_000,
    },
    hooks: { build: null, migrate: null, postdeploy: null },
  },
  variables: { A: '1', B: '2' },
  reason: 'deploy',
  message: null,
  createdAt: 0,
};

describe('two releases have the same content', () => {
  it('whatever their numbers, their times and why they were made', () => {
    const again: Release = {
      ...release,
      number: 2,
      createdAt: 9,
      reason: 'restart',
      message: 'again',
    };
    expect(sameContent(release, again)).toBe(true);
  });

  it('whatever the order of their variables', () => {
    expect(sameContent(release, { ...release, variables: { B: '2', A: '1' } })).toBe(true);
  });

  const { configuration } = release;
  it.each<[string, Partial<Release>]>([
    ['version', { version: 'v2' }],
    ['variable', { variables: { A: '1' } }],
    ['configuration', { configuration: { ...configuration, domains: ['other.localhost'] } }],
  ])('but not with another %s', (_what, change) => {
    expect(sameContent(release, { ...release, ...change })).toBe(false);
  });
});
