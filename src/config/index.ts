import type { AppDefinition, AppSpec, RollingOptions, RollingSpec } from './spec.ts';

/**
 * What a `belay.config.ts` imports from 'belay'. Helpers return plain data and check nothing: all
 * checking is done where the file is loaded, so that every problem is told at once.
 */
export type {
  AppDefinition,
  AppSpec,
  CapacitySpec,
  DeploySpec,
  Duration,
  EdgeSpec,
  EjectSpec,
  EnvironmentSpec,
  HealthSpec,
  LimitsSpec,
  QueueSpec,
  RollingOptions,
  RollingSpec,
  Size,
  TimeoutsSpec,
  WebSpec,
} from './spec.ts';

/**
 * An application: `export default app('my-shop', { web: { start: 'node server.js' } })`.
 *
 * @param name kebab-case, at most 40 characters
 */
export function app(name: string, spec: AppSpec = {}): AppDefinition {
  return { ...spec, name };
}

/** Replaces instances in batches, with extra ones so that capacity is kept. The default policy. */
export function rolling(options: RollingOptions = {}): RollingSpec {
  return { ...options, policy: 'rolling' };
}
