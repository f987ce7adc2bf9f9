import type { Duration } from './spec.ts';

/** What users write of scaling, most of it by the helpers `track`, `step`, `cron` and `predict`. */

/** What is measured of a group. */
export type ScalingMetric =
  | 'cpu'
  | 'requests-per-instance'
  | 'concurrency'
  | 'p99'
  | 'backlog-per-instance';

/** Which instance goes first: each criterion narrows down what the one before has left. */
export type TerminationCriterion = 'zone' | 'oldest-version' | 'oldest' | 'newest';

/** Whose word counts when an instance is replaced because it is sick. */
export type ReplacementHealth = 'process' | 'edge' | 'deep';

/** What an instance may use, by a name. */
export type SizeName = 'nano' | 'micro' | 'small' | 'medium' | 'large' | 'xlarge';

/** What tracking policies can be told. */
export interface TrackOptions {
  /** `false`: it may only add instances. Default `true`. */
  scaleIn?: boolean;
}

/** Where a number of the app's own comes from. */
export interface BacklogOptions extends TrackOptions {
  /** What it is called, where it is reported with `belay metrics report`. Default `'backlog'`. */
  name?: string;
  /** Asked with GET; the answer is the number. Without it, the number is reported. */
  url?: string;
}

/** So many instances that each has no more than the target. */
export interface TrackSpec extends BacklogOptions {
  kind: 'track';
  metric: ScalingMetric;
  /** Of `p99` a duration. */
  target: number | Duration;
}

/** What to do where the metric is so far beyond the threshold. */
export interface StepSpec {
  /** From here, included. Default 0. */
  from?: number;
  /** To here, not included. Default: without end. */
  to?: number;
  /** Instances more or fewer, as a number or a share of those desired: `2`, `-1`, `'25%'`. */
  change?: number | `${number}%`;
  /** Of a share: so many instances at least. Default 1. */
  atLeast?: number;
  /** Instead of `change`: so many instances. */
  exactly?: number;
}

export interface StepOptions extends Pick<BacklogOptions, 'name' | 'url'> {
  /** The threshold, where more is too much. Either this or `below`. */
  above?: number | Duration;
  /** The threshold, where less is too little. */
  below?: number | Duration;
  /** How long the metric must be there without a break. Default `'0s'`. */
  for?: Duration;
  /** By how far the metric is beyond the threshold, in order, without gap or overlap. */
  steps: StepSpec[];
}

export interface StepPolicySpec extends StepOptions {
  kind: 'step';
  metric: ScalingMetric;
}

export interface CronOptions {
  /** Bounds, and how many at its beginning. What is left out stays as it is. */
  min?: number;
  max?: number;
  desired?: number;
  /** Ends at this time of the calendar. Without it and `for`: when another schedule begins. */
  until?: string;
  /** Ends after this time. From `'1m'`. */
  for?: Duration;
  /** Whose clock on the wall that is: `'Europe/Berlin'`. Default `'UTC'`. */
  timeZone?: string;
}

export interface CronSpec extends CronOptions {
  kind: 'schedule';
  /** Minute, hour, day, month and weekday: `'0 9 * * 1-5'`. */
  cron: string;
}

export interface PredictOptions {
  /** `'forecast-only'`: only tells what it would do. Default `'auto'`: raises once it has proven itself. */
  mode?: 'auto' | 'forecast-only';
}

export interface PredictSpec extends PredictOptions {
  kind: 'predict';
}

export type ScalingPolicySpec = TrackSpec | StepPolicySpec | CronSpec | PredictSpec;

/** How capacity follows the load. */
export interface ScalingSpec {
  /** Out if any of them wants, in only if all agree. Default: none, capacity stays as it is set. */
  policies?: ScalingPolicySpec[];
  /** An instance counts as capacity once it has served so long. Default `'0s'`. */
  warmup?: Duration;
  /** No scale-in so soon after the last change. Default `'0s'`. */
  cooldown?: Duration;
  /** Scale-in goes no lower than what was wanted at any moment of the last so long. Default `'5m'`. */
  stabilization?: Duration;
  /** The most instances added at a time, as a share of those desired. Default: any number. */
  maxOut?: `${number}%`;
  /** The most instances taken at a time, as a share of those desired. Default: any number. */
  maxIn?: `${number}%`;
  /** No scale-in while a smaller share of the desired instances is healthy. Default `'90%'`. */
  minHealthy?: `${number}%`;
}

/** What an instance waits for until somebody says `continue` or `abandon`. */
export interface LifecycleWaitSpec {
  /** How long, from its beginning or the last heartbeat. From `'1s'`. Default `'1h'`. */
  heartbeat?: Duration;
  /** What is taken when nobody says anything. Default `'abandon'`. */
  otherwise?: 'continue' | 'abandon';
}

export interface LifecycleSpec {
  /** Between its first passed check and its first request. */
  launching?: LifecycleWaitSpec;
  /** Between its last request and SIGTERM. */
  terminating?: LifecycleWaitSpec;
}
