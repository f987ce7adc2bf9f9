import { z } from 'zod';
import { routedCacheSchema } from './cache.ts';
import { healthCheckSchema } from './configuration.ts';
import { DEFAULT_EDGE_SETTINGS, edgeSettingsSchema } from './edge-settings.ts';
import { routedGuardsSchema } from './guard.ts';
import { admissionSchema, balancingSchema, DEFAULT_TRAFFIC } from './traffic.ts';

/**
 * The whole routing state of the edge: immutable, numbered monotonically across the lives of the
 * control plane, swapped in at once.
 */

/**
 * The edge closes what is still open on a drained target over this time after its `drainUntil`, not
 * all at once; only then may its instance be stopped.
 */
export const DRAIN_CLOSE_MS = 1_000;

export const targetSchema = z.strictObject({
  /** The instance's id, or `fixed` for an address Belay did not start. */
  id: z.string(),
  host: z.string(),
  port: z.int().min(1).max(65_535),
  zone: z.string().nullable(),
  /** `standby` is checked and not routed to; `draining` keeps what is open and takes nothing new. */
  state: z.enum(['active', 'standby', 'draining']),
  /** Draining: when the edge closes what is still open, milliseconds since the epoch. */
  drainUntil: z.number().nullable(),
});
export type Target = z.infer<typeof targetSchema>;

export const poolSchema = z.strictObject({
  /** `application/environment#release`. */
  id: z.string(),
  environment: z.string(),
  release: z.int(),
  health: healthCheckSchema,
  balancing: balancingSchema.default(DEFAULT_TRAFFIC.balancing),
  /** Belay did not start its targets: a request may come back from there. */
  external: z.boolean().default(false),
  targets: z.array(targetSchema),
});
export type Pool = z.infer<typeof poolSchema>;

/** Scale to zero. */
export const wakeSchema = z.strictObject({
  /** Nothing runs: the control plane is told of the first request that comes. */
  asleep: z.boolean(),
  /** A GET or a HEAD of one of these is a probe: it wakes nobody, and keeps nobody awake. */
  probePaths: z.array(z.string()),
});
export type WakeRule = z.infer<typeof wakeSchema>;

export const ruleSchema = z.strictObject({
  /** Lower-case host names; `*` for any, `*.x` for one label below x. The most specific wins. */
  hosts: z.array(z.string()).min(1),
  environment: z.string(),
  /** Shares of traffic; a pool without a usable target is passed over whatever its weight. */
  forward: z.array(z.strictObject({ pool: z.string(), weight: z.number().min(0) })),
  admission: admissionSchema.default(DEFAULT_TRAFFIC.admission),
  /** A session stays with its target so long after its last request; null: not at all. */
  stickyMs: z.int().min(1_000).nullable().default(null),
  /** A client stays with its pool so long after its last request; null: not at all. */
  poolStickyMs: z.int().min(1_000).nullable().default(null),
  /** Null: it never sleeps, and who wants it is not watched. */
  wake: wakeSchema.nullable().default(null),
  /** Null: nothing is kept. */
  cache: routedCacheSchema.nullable().default(null),
  /** Null: anybody may ask for anything. */
  guards: routedGuardsSchema.nullable().default(null),
});
export type Rule = z.infer<typeof ruleSchema>;

export const snapshotSchema = z.strictObject({
  number: z.int().min(1),
  settings: edgeSettingsSchema.default(DEFAULT_EDGE_SETTINGS),
  /** Signs the cookies of sticky sessions; 64 hexadecimal digits, or empty where nothing is sticky. */
  cookieKey: z
    .string()
    .regex(/^([0-9a-f]{64})?$/)
    .default(''),
  rules: z.array(ruleSchema),
  pools: z.array(poolSchema),
});
export type Snapshot = z.infer<typeof snapshotSchema>;
/** As it may be written: what is left out has its default. */
export type SnapshotInput = z.input<typeof snapshotSchema>;

export const poolId = (environment: string, release: number): string => `${environment}#${release}`;
