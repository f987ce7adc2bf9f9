import type { Configuration, Limits, Variables } from './configuration.ts';
import { type SizeName, sizes } from './size.ts';

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
  /** Set by `belay scale --size`, instead of the configuration's own; left out: that counts. */
  size?: SizeName;
  reason: ReleaseReason;
  message: string | null;
  createdAt: number;
}

export type ReleaseReason = 'deploy' | 'env' | 'resize' | 'restart' | 'clone' | 'rebuild';

/** The size of its instances; null: none was named. */
export const sizeOf = ({ size, configuration }: Sized): SizeName | null =>
  size ?? configuration.web.size;

type Sized = Pick<Release, 'size' | 'configuration'>;

/** What one instance may use. What the configuration says by itself, beside a size, stays. */
export function limitsOf({ size, configuration: { web } }: Sized): Limits {
  if (size === undefined) return web.limits;
  const configured: Limits = web.size === null ? UNLIMITED : sizes[web.size];
  const { memoryBytes, cpu } = web.limits;
  return {
    memoryBytes: memoryBytes === configured.memoryBytes ? sizes[size].memoryBytes : memoryBytes,
    cpu: cpu === configured.cpu ? sizes[size].cpu : cpu,
  };
}

const UNLIMITED: Limits = { memoryBytes: null, cpu: null };

/** What is set for instances and hooks; what `belay env` has set has the last word. */
export function variablesOf({
  configuration,
  variables,
  version,
}: Pick<Release, 'configuration' | 'variables' | 'version'>): Variables {
  const { concurrency } = configuration.web;
  const threads = concurrency === null ? null : String(concurrency);
  return {
    // A name that servers know; who sets it himself knows better.
    ...(threads !== null && { WEB_CONCURRENCY: threads }),
    ...configuration.web.variables,
    ...variables,
    BELAY_VERSION: version ?? '',
    ...(threads !== null && { BELAY_CONCURRENCY: threads }),
  };
}

/** Whether two releases would run the same thing: a restart of a release is the same. */
export function sameContent(a: Release, b: Release): boolean {
  return (
    a.version === b.version &&
    sizeOf(a) === sizeOf(b) &&
    JSON.stringify(a.configuration) === JSON.stringify(b.configuration) &&
    JSON.stringify(sorted(a.variables)) === JSON.stringify(sorted(b.variables))
  );
}

function sorted(variables: Variables): [string, string][] {
  return Object.entries(variables).sort(([x], [y]) => (x < y ? -1 : 1));
}
