import { z } from 'zod';
import { DEFAULT_GROUP, groupSchema } from './group.ts';
import { nameProblem } from './name.ts';
import { NO_SCALING, scalingSchema } from './scaling.ts';
import { sizeNames } from './size.ts';
import { DEFAULT_TRAFFIC, trafficSchema } from './traffic.ts';
import { ALWAYS, windowsSchema } from './window.ts';

/**
 * The configuration of one environment, resolved: every default filled in, durations in
 * milliseconds, sizes in bytes. What users write is `config/schema.ts`; this is what a release
 * keeps, and what crosses the API.
 */

const name = z
  .string()
  .refine((value) => nameProblem(value) === null, { error: 'is not a kebab-case name' });
const durationMs = z
  .int()
  .min(0)
  .max(7 * 86_400_000);

/** Active health checks, ALB's semantics: the first pass admits a new target. */
export const healthCheckSchema = z.strictObject({
  /** `*` asks the server itself, by OPTIONS: another edge answers that whatever is behind it. */
  path: z.string().regex(/^(\/|\*$)/),
  /** Status codes that pass, inclusive. */
  matcher: z.strictObject({ from: z.int().min(100).max(599), to: z.int().min(100).max(599) }),
  intervalMs: durationMs.min(100),
  timeoutMs: durationMs.min(50),
  healthyThreshold: z.int().min(1).max(10),
  unhealthyThreshold: z.int().min(1).max(10),
  /** The answer must contain this, within its first 64 KB; null: anything will do. */
  body: z.string().min(1).max(1_000).nullable().default(null),
  /**
   * Asked as well, and told: what the app depends on, part by part. Routing does not follow it,
   * because what all instances share fails for all of them. Null: not asked.
   */
  deepPath: z.string().startsWith('/').nullable().default(null),
});
export type HealthCheck = z.infer<typeof healthCheckSchema>;

export const capacitySchema = z
  .strictObject({
    min: z.int().min(0).max(10_000),
    desired: z.int().min(0).max(10_000),
    max: z.int().min(1).max(10_000),
  })
  .refine((capacity) => capacity.min <= capacity.max, { error: 'min is greater than max' })
  .refine((capacity) => capacity.min <= capacity.desired && capacity.desired <= capacity.max, {
    error: 'desired is outside min and max',
  });
export type Capacity = z.infer<typeof capacitySchema>;

export const limitsSchema = z.strictObject({
  memoryBytes: z
    .int()
    .min(16 * 1024 * 1024)
    .nullable(),
  /** In cores: 0.5 is half of one. */
  cpu: z.number().positive().max(1024).nullable(),
});
export type Limits = z.infer<typeof limitsSchema>;

export const variablesSchema = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'is not the name of an environment variable' }),
  z.string().max(131_072),
);
export type Variables = z.infer<typeof variablesSchema>;

/** A number of instances, or a share of those desired. */
const amount = z.union([z.int().min(0), z.string().regex(/^\d{1,3}%$/)]);
export type Amount = z.infer<typeof amount>;

/**
 * rolling      batches in turn, with `extra` instances above desired while it runs
 * all-at-once  all new ones beside the old, which go together once the new ones have proven themselves
 * immutable    the same, after one new instance alone has proven itself
 * blue-green   all new ones beside the old, without traffic until they have proven themselves
 * canary       a share of the traffic first; all of it when what it answered has been judged
 * linear       the same in several equal steps, each judged
 */
export const rolloutSchema = z
  .strictObject({
    policy: z.enum(['rolling', 'all-at-once', 'immutable', 'blue-green', 'canary', 'linear']),
    batch: amount,
    extra: amount,
    /** How long a new instance must stay healthy before it counts. */
    healthyMs: durationMs,
    /** How long an instance may take from its start to its first passed health check. */
    startTimeoutMs: durationMs.min(1_000),
    /** How long retired instances stay warm, without a route, so that a rollback is a flip. */
    keepMs: durationMs,
    /** canary, linear: the first share of the traffic, and each further step. */
    percent: z.int().min(1).max(99).default(10),
    /** canary, linear: how long each share is watched before it is judged. */
    bakeMs: durationMs.default(300_000),
    /** canary, linear: requests of the new release without which there is no judgement. */
    minRequests: z.int().min(1).default(100),
    /** canary, linear: asked by Belay itself where fewer requests come; empty: nothing is. */
    probes: z.array(z.string().regex(/^\/[!-~]*$/)).default([]),
    /** canary, linear: how long somebody may take to decide where there is no judgement. */
    patienceMs: durationMs.default(3_600_000),
  })
  .refine(
    ({ batch, extra }) => Number.parseInt(`${batch}`, 10) + Number.parseInt(`${extra}`, 10) > 0,
    {
      error: 'extra and batch are both 0',
    },
  );
export type Rollout = z.infer<typeof rolloutSchema>;

/** Shares of the traffic are judged one after the other. */
export const movesByWeight = (policy: Rollout['policy']): boolean =>
  policy === 'canary' || policy === 'linear';

/** A command that is run to its end, beside the instances. */
const hookSchema = z.strictObject({
  command: z.array(z.string()).min(1),
  variables: variablesSchema,
  timeoutMs: durationMs.min(1_000),
  limits: limitsSchema,
  /** Its failure turns the deployment back. */
  turnsBack: z.boolean(),
});
export type Hook = z.infer<typeof hookSchema>;

/** What each one is: `model/hook.ts`. */
const hooksSchema = z.strictObject({
  build: hookSchema.nullable(),
  migrate: hookSchema.nullable(),
  postdeploy: hookSchema.nullable(),
});
export type Hooks = z.infer<typeof hooksSchema>;

const NO_HOOKS: Hooks = { build: null, migrate: null, postdeploy: null };

const address = z.url({ protocol: /^http$/ });

const webSchema = z.strictObject({
  /**
   * The program and its arguments; `$PORT` and other variables are expanded by the runtime, never
   * by a shell. Null when `upstream` is set.
   */
  start: z.array(z.string()).min(1).nullable(),
  /** Run in the instance's slot before its program; null: nothing is. */
  bootstrap: z.array(z.string()).min(1).nullable().default(null),
  /**
   * `http://host:port` of something Belay did not start, or several that serve the same. Null when
   * `start` is set.
   */
  upstream: z.union([address, z.array(address).min(2).max(16)]).nullable(),
  health: healthCheckSchema,
  capacity: capacitySchema,
  zones: z.array(name).min(1).max(26),
  /** Where `limits` are from, as far as they were not written; null: nowhere. */
  size: z.enum(sizeNames).nullable().default(null),
  limits: limitsSchema,
  /** Threads or workers inside an instance, which the app is told; null: it is told nothing. */
  concurrency: z.int().min(1).max(1024).nullable().default(null),
  group: groupSchema.default(DEFAULT_GROUP),
  scaling: scalingSchema.default(NO_SCALING),
  variables: variablesSchema,
  /** Between SIGTERM and SIGKILL. */
  stopGraceMs: durationMs,
  /** Between unrouting an instance and giving up on what is still open through it. */
  drainMs: durationMs,
});

export const configurationSchema = z
  .strictObject({
    web: webSchema,
    /** Host names the edge answers to, lower-case; `*` for all, `*.x` for one label below x. */
    domains: z.array(z.string().min(1).max(253)).min(1).max(100),
    traffic: trafficSchema.default(DEFAULT_TRAFFIC),
    rollout: rolloutSchema,
    /** When something new may be deployed. */
    windows: windowsSchema.default(ALWAYS),
    hooks: hooksSchema.default(NO_HOOKS),
  })
  .refine(({ web }) => (web.start === null) !== (web.upstream === null), {
    error: 'exactly one of start and upstream must be set',
  });
export type Configuration = z.infer<typeof configurationSchema>;
