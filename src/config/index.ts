import type {
  BacklogOptions,
  CronOptions,
  CronSpec,
  PredictOptions,
  PredictSpec,
  ScalingMetric,
  StepOptions,
  StepPolicySpec,
  TrackOptions,
  TrackSpec,
} from './scaling-spec.ts';
import type {
  AppDefinition,
  AppSpec,
  DeployOptions,
  Duration,
  PolicySpec,
  RollingOptions,
  ShareOptions,
} from './spec.ts';

/**
 * What a `belay.config.ts` imports from 'belay'. Helpers return plain data and check nothing: all
 * checking is done where the file is loaded, so that every problem is told at once.
 */
export type {
  CacheKeySpec,
  CacheRuleOptions,
  CacheRuleSpec,
  CacheSpec,
  CacheStaleSpec,
  CacheTtlSpec,
} from './cache-spec.ts';
export type {
  BotsSpec,
  GuardOptions,
  GuardSpec,
  GuardsSpec,
  RateSpec,
  ReferersSpec,
} from './guard-spec.ts';
export type {
  BacklogOptions,
  CronOptions,
  CronSpec,
  LifecycleSpec,
  LifecycleWaitSpec,
  PredictOptions,
  PredictSpec,
  ReplacementHealth,
  ScalingMetric,
  ScalingPolicySpec,
  ScalingSpec,
  SizeName,
  StepOptions,
  StepPolicySpec,
  StepSpec,
  TerminationCriterion,
  TrackOptions,
  TrackSpec,
} from './scaling-spec.ts';
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

/** So many instances that each has no more than the target. */
export const track = {
  /** Per cent of what an instance is allowed: of its `cpu`, else of one core. */
  cpu: (target: number, options: TrackOptions = {}): TrackSpec => tracked('cpu', target, options),
  /** Requests a minute. */
  requestsPerInstance: (target: number, options: TrackOptions = {}): TrackSpec =>
    tracked('requests-per-instance', target, options),
  /** Requests inside it at a time. */
  concurrency: (target: number, options: TrackOptions = {}): TrackSpec =>
    tracked('concurrency', target, options),
  /** What the slowest hundredth of the requests takes at least: `track.p99('250ms')`. */
  p99: (target: Duration, options: TrackOptions = {}): TrackSpec => tracked('p99', target, options),
  /** A share of a number of the app's own: of jobs that wait, say. */
  backlogPerInstance: (target: number, options: BacklogOptions = {}): TrackSpec =>
    tracked('backlog-per-instance', target, options),
};

const tracked = (
  metric: ScalingMetric,
  target: number | Duration,
  options: BacklogOptions,
): TrackSpec => ({ ...options, kind: 'track', metric, target });

/** More or fewer instances, by how far a metric is beyond a threshold. */
export function step(metric: ScalingMetric, options: StepOptions): StepPolicySpec {
  return { ...options, kind: 'step', metric };
}

/** Sets bounds at a time of the calendar: `cron('0 9 * * 1-5', { min: 4, for: '9h' })`. */
export function cron(time: string, options: CronOptions): CronSpec {
  return { ...options, kind: 'schedule', cron: time };
}

/** Learns the day and the week of what is tracked, and adds instances ahead of them. */
export function predict(options: PredictOptions = {}): PredictSpec {
  return { ...options, kind: 'predict' };
}

/** What environments of these names usually are: `environments: { staging: presets.staging }`. */
export { type PresetName, presets } from './presets.ts';
