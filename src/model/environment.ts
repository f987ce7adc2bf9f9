import { stateMachine } from '../kernel/state-machine.ts';
import type { CachePurges } from './cache-purges.ts';
import type { Capacity } from './configuration.ts';
import type { Freeze } from './freeze.ts';

/**
 * An application running. Status is where it is in its life; health is how it does. They are two
 * machines, not one.
 *
 * launching → ready ⇄ updating; any of them → terminating → terminated. A terminated environment
 * can be launched again under its name.
 */
export type EnvironmentStatus = 'launching' | 'ready' | 'updating' | 'terminating' | 'terminated';

export const environmentMachine = stateMachine<EnvironmentStatus>('environment', {
  launching: ['ready', 'terminating'],
  ready: ['updating', 'terminating'],
  updating: ['ready', 'terminating'],
  terminating: ['terminated'],
  terminated: ['launching'],
});

export const environmentHealths = [
  'ok',
  'info',
  'warning',
  'degraded',
  'severe',
  'pending',
  'unknown',
] as const;
export type EnvironmentHealth = (typeof environmentHealths)[number];

export const PRODUCTION = 'production';

/** `application/environment`: the key of everything that belongs to one environment. */
export type EnvironmentKey = string;

export const environmentKey = (application: string, name: string): EnvironmentKey =>
  `${application}/${name}`;

/** Host names that came to an environment by a swap. */
export interface SwappedNames {
  /** The environment whose configuration gave them. */
  of: EnvironmentKey;
  domains: readonly string[];
}

export interface Environment {
  key: EnvironmentKey;
  application: string;
  name: string;
  status: EnvironmentStatus;
  /** The release it should run; null until a first deployment has succeeded. */
  release: number | null;
  capacity: Capacity;
  /** What it answers to instead of the names in its releases; null: to those. Stays until swapped back. */
  names: SwappedNames | null;
  createdAt: number;
  /** When it was terminated; null while it is not. */
  terminatedAt: number | null;
  cachePurges: CachePurges;
  /** Left out: nothing is frozen. */
  freeze?: Freeze;
  /** Left out: it is awake. */
  asleep?: Sleep;
}

/** Nothing runs, because nobody wants it. */
export interface Sleep {
  since: number;
  /** Instances that were wanted before. */
  desired: number;
}

/** Names the edge answers to when the configuration names none. */
export function defaultDomain(application: string, environment: string): string {
  return environment === PRODUCTION
    ? `${application}.localhost`
    : `${environment}.${application}.localhost`;
}
