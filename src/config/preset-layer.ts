import { PRODUCTION } from '../model/environment.ts';
import { presets } from './presets.ts';
import { type Definition, type Layer, readEnvironment } from './schema.ts';

/**
 * What an environment is by its name where nothing else says so: only if the file does not list it,
 * and only below what the file says. Production is what the top level says, and no preset adds to it.
 *
 * What goes together is left out together: one bound of a preset beside the other of the file could
 * contradict it.
 */
export function presetLayer(environment: string, definition: Definition): Layer | null {
  const listed = definition.environments && Object.hasOwn(definition.environments, environment);
  if (listed || environment === PRODUCTION || !Object.hasOwn(presets, environment)) return null;
  const preset = readEnvironment(presets[environment as keyof typeof presets], '', () => {});
  if (!preset) return null;
  const { web, deploy } = definition;
  const { min, desired, max } = web?.capacity ?? {};
  const { interval, timeout } = web?.health ?? {};
  const isSaid = (...values: unknown[]) => values.some((value) => value !== undefined);
  return {
    web: {
      ...preset.web,
      capacity: isSaid(min, desired, max) ? undefined : preset.web?.capacity,
      health: isSaid(interval, timeout) ? undefined : preset.web?.health,
    },
    deploy: isSaid(deploy) ? undefined : preset.deploy,
  };
}
