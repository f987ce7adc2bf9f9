import type { Configuration } from './configuration.ts';
import type { EnvironmentKey } from './environment.ts';

/** A configuration kept under a name, to make environments by: no code, and no data. */
export interface SavedConfiguration {
  application: string;
  name: string;
  /** With the variables of `belay env` among its own, and the capacity as it was then. */
  configuration: Configuration;
  /** Where it was read. */
  from: EnvironmentKey;
  release: number;
  message: string | null;
  savedAt: number;
}

/**
 * A configuration with what was saved in place of its own. What belongs to the code stays (how it is
 * started, its hooks), and so do the names, which no two environments can share.
 */
export function withSaved(own: Configuration, saved: Configuration): Configuration {
  const { start, bootstrap, upstream } = own.web;
  return {
    ...saved,
    web: { ...saved.web, start, bootstrap, upstream },
    domains: own.domains,
    hooks: own.hooks,
  };
}
