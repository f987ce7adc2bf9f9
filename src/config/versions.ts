import {
  DEFAULT_LIFECYCLE,
  LEAST_AGE_MS,
  type Lifecycle,
  MAX_AGE_MS,
  MAX_KEPT_VERSIONS,
} from '../model/lifecycle.ts';
import { duration, wholeNumber } from './leaves.ts';
import { section } from './reader.ts';
import type { Provenance } from './resolve.ts';
import type { Definition } from './schema.ts';

/** How long versions stay: of the application as a whole, so no environment has it different. */

export const versionsReader = section({
  keep: wholeNumber(1, MAX_KEPT_VERSIONS),
  maxAge: duration(LEAST_AGE_MS, MAX_AGE_MS),
});

export function resolveLifecycle({ versions }: Pick<Definition, 'versions'>): {
  lifecycle: Lifecycle;
  provenance: Record<string, Provenance>;
} {
  const from = (written: unknown): Provenance => (written === undefined ? 'default' : 'file');
  return {
    lifecycle: {
      keep: versions?.keep ?? DEFAULT_LIFECYCLE.keep,
      maxAgeMs: versions?.maxAge ?? DEFAULT_LIFECYCLE.maxAgeMs,
    },
    provenance: {
      'versions.keep': from(versions?.keep),
      'versions.maxAge': from(versions?.maxAge),
    },
  };
}
