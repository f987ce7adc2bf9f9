import { stateMachine } from '../kernel/state-machine.ts';
import type { Capacity } from './configuration.ts';

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

export interface Environment {
  key: EnvironmentKey;
  application: string;
  name: string;
  status: EnvironmentStatus;
  /** The release it should run; null until a first deployment has succeeded. */
  release: number | null;
  capacity: Capacity;
  createdAt: number;
}

/** Names the edge answers to when the configuration names none. */
export function defaultDomain(application: string, environment: string): string {
  return environment === PRODUCTION
    ? `${application}.localhost`
    : `${environment}.${application}.localhost`;
}
