import type { Configuration, Variables } from './configuration.ts';

/**
 * A version plus a configuration, numbered per environment from 1. A configuration change alone
 * makes a new release, and so does a restart. Releases never change: a rollback points the
 * environment at an older one.
 */
export interface Release {
  environment: string;
  number: number;
  /** The version's label; null for a fixed address, which has no code. */
  version: string | null;
  configuration: Configuration;
  /** Set by `belay env`, over the configuration's own variables. */
  variables: Variables;
  reason: ReleaseReason;
  message: string | null;
  createdAt: number;
}

export type ReleaseReason = 'deploy' | 'env' | 'restart' | 'clone' | 'rebuild';

/** Whether two releases would run the same thing: a restart of a release is the same. */
export function sameContent(a: Release, b: Release): boolean {
  return (
    a.version === b.version &&
    JSON.stringify(a.configuration) === JSON.stringify(b.configuration) &&
    JSON.stringify(sorted(a.variables)) === JSON.stringify(sorted(b.variables))
  );
}

function sorted(variables: Variables): [string, string][] {
  return Object.entries(variables).sort(([x], [y]) => (x < y ? -1 : 1));
}
