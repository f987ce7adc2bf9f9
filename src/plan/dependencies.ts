import { type DeepReport, partSentence } from '../model/target.ts';
import { isServing } from './fleet.ts';
import type { Diagnosis } from './health.ts';
import type { Observation } from './observation.ts';

/**
 * What the instances say of what they depend on. It changes no routing, because what they share
 * fails for all of them; it is how a person learns that the database is down, and not the app.
 */
export function diagnoseDependencies({ instances, fixed }: Observation): Diagnosis | null {
  if (fixed) {
    const failing = failuresOf(fixed.deep);
    if (failing.length === 0) return null;
    const says = failing.map(({ sentence }) => sentence).join('; ');
    return { health: 'degraded', cause: `the fixed address says: ${says}` };
  }
  const serving = instances.filter(isServing);
  const failing = serving.filter(({ target }) => target?.deep?.passed === false);
  const [most] = byPart(failing.map(({ target }) => target?.deep ?? null));
  if (!most) return null;
  return {
    health: failing.length === serving.length ? 'degraded' : 'warning',
    cause: `${most.sentence} on ${most.count} of ${serving.length} instance${serving.length === 1 ? '' : 's'}`,
  };
}

interface Failure {
  /** Of the part; empty when the instance names none. */
  name: string;
  sentence: string;
}

function failuresOf(deep: DeepReport | null): Failure[] {
  if (deep === null || deep.passed) return [];
  const parts = deep.parts.filter(({ passed }) => !passed);
  if (parts.length === 0) return [{ name: '', sentence: deep.description }];
  return parts.map((part) => ({ name: part.name, sentence: partSentence(part) }));
}

/** The part that fails most often first. Details differ from one to another: the first one speaks. */
function byPart(reports: readonly (DeepReport | null)[]): { sentence: string; count: number }[] {
  const failures = new Map<string, { sentence: string; count: number }>();
  for (const { name, sentence } of reports.flatMap(failuresOf)) {
    const known = failures.get(name);
    if (known) known.count += 1;
    else failures.set(name, { sentence, count: 1 });
  }
  return [...failures.values()].sort((a, b) => b.count - a.count);
}
