import { z } from 'zod';
import { cronProblem } from './calendar.ts';
import { isTimeZone } from './window.ts';

/**
 * How an environment's capacity follows its load, as a release keeps it. Policies move `desired`
 * between min and max: out if any of them wants, in only if all agree.
 */

const durationMs = z
  .int()
  .min(0)
  .max(7 * 86_400_000);

/**
 * What is measured of a group.
 *
 * cpu                    per cent of what an instance is allowed: of its `cpu`, else of one core
 * requests-per-instance  requests a minute, by each instance
 * concurrency            requests inside each instance at a time
 * p99                    milliseconds that the slowest hundredth of the requests takes at least
 * backlog-per-instance   a number of the app's own for the whole group, shared among its instances
 */
export const scalingMetrics = [
  'cpu',
  'requests-per-instance',
  'concurrency',
  'p99',
  'backlog-per-instance',
] as const;
export type ScalingMetric = (typeof scalingMetrics)[number];

/** Where a number of the app's own comes from: asked for at the URL, or, null, told by somebody. */
const sourceSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  url: z.url({ protocol: /^http$/ }).nullable(),
});
export type MetricSource = z.infer<typeof sourceSchema>;

const measured = {
  metric: z.enum(scalingMetrics),
  /** Of `backlog-per-instance`; null for the others. */
  source: sourceSchema.nullable(),
};

/** So many instances that each has no more than the target. */
const trackSchema = z.strictObject({
  kind: z.literal('track'),
  ...measured,
  target: z.number().positive(),
  /** False: it may only add. */
  scaleIn: z.boolean(),
});
export type TrackPolicy = z.infer<typeof trackSchema>;

/** By how much a step changes `desired`. A percentage counts for at least `atLeast` instances. */
const adjustmentSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('change'), by: z.int() }),
  z.strictObject({ kind: z.literal('percent'), by: z.number(), atLeast: z.int().min(1) }),
  z.strictObject({ kind: z.literal('exactly'), instances: z.int().min(0) }),
]);
export type Adjustment = z.infer<typeof adjustmentSchema>;

/** By how far the metric is beyond the threshold: from `from`, included, to `to`, not included. */
const stepSchema = z.strictObject({
  from: z.number().min(0),
  /** Null: without end. */
  to: z.number().positive().nullable(),
  adjustment: adjustmentSchema,
});
export type ScalingStep = z.infer<typeof stepSchema>;

const stepPolicySchema = z.strictObject({
  kind: z.literal('step'),
  ...measured,
  /** Which side of the threshold it is about. */
  when: z.enum(['above', 'below']),
  threshold: z.number().min(0),
  /** How long the metric must be there without a break. */
  forMs: durationMs,
  /** In order, without gap or overlap. */
  steps: z.array(stepSchema).min(1).max(20),
});
export type StepPolicy = z.infer<typeof stepPolicySchema>;

const cronSchema = z.string().refine((cron) => cronProblem(cron) === null, {
  error: 'is not a time of the calendar',
});

/**
 * Sets bounds from a time of the calendar on: until another time of the calendar, for so long, or,
 * without either, until another schedule sets them.
 */
const schedulePolicySchema = z.strictObject({
  kind: z.literal('schedule'),
  /** Five fields. */
  cron: cronSchema,
  timeZone: z.string().refine(isTimeZone, { error: 'is not the name of a time zone' }),
  until: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('cron'), cron: cronSchema }),
      z.strictObject({ kind: z.literal('for'), durationMs: durationMs.min(60_000) }),
    ])
    .nullable(),
  /** Null: as it is. */
  min: z.int().min(0).max(10_000).nullable(),
  max: z.int().min(1).max(10_000).nullable(),
  /** Set once, when it begins; null: nothing is. */
  desired: z.int().min(0).max(10_000).nullable(),
});
export type SchedulePolicy = z.infer<typeof schedulePolicySchema>;

/** Learns the day and the week of a tracked metric, and raises capacity ahead of them; never lowers it. */
const predictPolicySchema = z.strictObject({
  kind: z.literal('predict'),
  /**
   * auto           raises once its own past has shown it to be right
   * forecast-only  tells what it would do
   */
  mode: z.enum(['auto', 'forecast-only']),
});
export type PredictPolicy = z.infer<typeof predictPolicySchema>;

const policySchema = z.discriminatedUnion('kind', [
  trackSchema,
  stepPolicySchema,
  schedulePolicySchema,
  predictPolicySchema,
]);
export type ScalingPolicy = z.infer<typeof policySchema>;

export const scalingSchema = z.strictObject({
  /** None: capacity stays as it is set. */
  policies: z.array(policySchema).max(50),
  /** An instance counts as capacity for decisions once it has served so long. */
  warmupMs: durationMs,
  /** No scale-in so soon after a scale-out or another scale-in. */
  cooldownMs: durationMs,
  /** Scale-in goes no lower than what was wanted at any moment of the last so long. */
  stabilizationMs: durationMs,
  /** The most instances added and taken at a time, as a share of those desired; null: any number. */
  maxOutPercent: z.int().min(1).max(100_000).nullable(),
  maxInPercent: z.int().min(1).max(100).nullable(),
  /** No scale-in while a smaller share of the desired instances is healthy, in per cent. */
  minHealthyPercent: z.int().min(0).max(100),
});
export type Scaling = z.infer<typeof scalingSchema>;

export const NO_SCALING: Scaling = {
  policies: [],
  warmupMs: 0,
  cooldownMs: 0,
  stabilizationMs: 300_000,
  maxOutPercent: null,
  maxInPercent: null,
  minHealthyPercent: 90,
};
