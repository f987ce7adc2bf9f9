import type { Capacity, Configuration, Variables } from '../model/configuration.ts';
import { defaultDomain } from '../model/environment.ts';

/** An environment made after another: pure. */

/** What the other runs by. */
export interface CloneSource {
  application: string;
  configuration: Configuration;
  /** Set by `belay env`. */
  variables: Variables;
  /** As it is now, whatever its configuration said. */
  capacity: Capacity;
}

/** What is to be different; what is left out is as it is there, but for the names. */
export interface CloneChanges {
  min?: number | undefined;
  desired?: number | undefined;
  max?: number | undefined;
  domains?: readonly string[] | undefined;
  variables: Variables;
}

/** Two environments cannot answer to the same names, so a clone has those of its own name. */
export function planClone(
  source: CloneSource,
  name: string,
  changes: CloneChanges,
): { configuration: Configuration; variables: Variables } {
  const { application, configuration, variables } = source;
  const capacity = changedCapacity(source.capacity, changes);
  return {
    configuration: {
      ...configuration,
      web: { ...configuration.web, capacity },
      domains: [...(changes.domains ?? [defaultDomain(application, name)])],
    },
    variables: { ...variables, ...changes.variables },
  };
}

/** `desired` stays within bounds that were moved; what was said stands, even if it cannot be. */
export function changedCapacity(
  capacity: Capacity,
  changes: Pick<CloneChanges, 'min' | 'desired' | 'max'>,
): Capacity {
  const min = changes.min ?? capacity.min;
  const max = changes.max ?? Math.max(min, capacity.max);
  const desired = changes.desired ?? Math.min(max, Math.max(min, capacity.desired));
  return { min, desired, max };
}
