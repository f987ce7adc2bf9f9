import type { EnvironmentSpec } from './spec.ts';

/**
 * What environments of these names usually are, as users would write it. A test holds the table in
 * docs/environments.md to it.
 */
export const presets = {
  /** Somebody is always there while another is replaced, and has to prove itself for longer. */
  production: {
    web: {
      health: { interval: '5s', timeout: '2s' },
      capacity: { min: 2, max: 4 },
      stopGrace: '10s',
      drain: '30s',
    },
    deploy: { policy: 'rolling', healthyFor: '5s' },
  },
  /** A rehearsal: as production does it, with fewer instances. */
  staging: {
    web: {
      health: { interval: '5s', timeout: '2s' },
      capacity: { min: 1, max: 2 },
      stopGrace: '10s',
      drain: '30s',
    },
    deploy: { policy: 'rolling', healthyFor: '5s' },
  },
  /** For testers: one instance, new versions at once, and still no broken session. */
  qa: {
    web: {
      health: { interval: '5s', timeout: '2s' },
      capacity: { min: 1, max: 1 },
      stopGrace: '10s',
      drain: '10s',
    },
    deploy: { policy: 'all-at-once' },
  },
  /** Shared by developers: quick to notice, quick to let go. */
  dev: {
    web: {
      health: { interval: '2s', timeout: '2s' },
      capacity: { min: 1, max: 1 },
      stopGrace: '5s',
      drain: '5s',
    },
    deploy: { policy: 'all-at-once' },
  },
  /** One's own machine: nobody else is there to wait for. */
  local: {
    web: {
      health: { interval: '1s', timeout: '1s' },
      capacity: { min: 1, max: 1 },
      stopGrace: '2s',
      drain: '1s',
    },
    deploy: { policy: 'all-at-once' },
  },
} as const satisfies Record<string, EnvironmentSpec>;

export type PresetName = keyof typeof presets;
