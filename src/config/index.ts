import type {
  AppDefinition,
  AppSpec,
  DeployOptions,
  PolicySpec,
  RollingOptions,
  ShareOptions,
} from './spec.ts';

/**
 * What a `belay.config.ts` imports from 'belay'. Helpers return plain data and check nothing: all
 * checking is done where the file is loaded, so that every problem is told at once.
 */
export type {
  AppDefinition,
  AppSpec,
  CapacitySpec,
  DeployOptions,
  DeploySpec,
  Duration,
  EdgeSpec,
  EjectSpec,
  EnvironmentSpec,
  HealthSpec,
  HookOptions,
  HooksSpec,
  LimitsSpec,
  PolicySpec,
  PostdeployOptions,
  QueueSpec,
  RollingOptions,
  ShareOptions,
  Size,
  TimeoutsSpec,
  VersionsSpec,
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
export function rolling(options: RollingOptions = {}): PolicySpec {
  return { ...options, policy: 'rolling' };
}

/** Starts all new instances beside the old ones, which go when the new ones have proven themselves. */
export function allAtOnce(options: DeployOptions = {}): PolicySpec {
  return { ...options, policy: 'all-at-once' };
}

/** As {@link allAtOnce}, after one new instance alone has proven itself. */
export function immutable(options: DeployOptions = {}): PolicySpec {
  return { ...options, policy: 'immutable' };
}

/** A whole new fleet without traffic, then all traffic at once; the old fleet stays warm. */
export function blueGreen(options: DeployOptions = {}): PolicySpec {
  return { ...options, policy: 'blue-green' };
}

/** A share of the traffic first; all of it when what that was answered has been judged. */
export function canary(options: ShareOptions = {}): PolicySpec {
  return { ...options, policy: 'canary' };
}

/** As {@link canary}, in several equal steps. */
export function linear(options: ShareOptions = {}): PolicySpec {
  return { ...options, policy: 'linear' };
}

/** What environments of these names usually are: `environments: { staging: presets.staging }`. */
export { type PresetName, presets } from './presets.ts';
