import { z } from 'zod';
import { cachePolicySchema } from './cache.ts';
import { guardSchema } from './guard.ts';

/** How the edge treats the traffic of one environment: what it balances, admits and waits for. */

const durationMs = z
  .int()
  .min(0)
  .max(7 * 86_400_000);

/**
 * Passive ejection, as in Envoy's outlier detection: a target whose answers go wrong is left out for
 * a while, and for longer each time.
 */
export const ejectionSchema = z.strictObject({
  /** So many errors in a row: no connection, a broken or late answer, or a 5xx of the app. */
  consecutiveErrors: z.int().min(1).max(1_000),
  /** The first time; each further one is as much longer, up to ten times. */
  timeMs: durationMs.min(1_000),
  /** Never more of a pool than this share, in per cent. */
  maxPercent: z.int().min(1).max(100),
});
export type Ejection = z.infer<typeof ejectionSchema>;

/** What is decided within a pool. */
export const balancingSchema = z.strictObject({
  algorithm: z.enum(['round-robin', 'least-outstanding', 'weighted-random', 'first']),
  /** A target that becomes healthy beside others gets its share by and by over this time; 0: at once. */
  slowStartMs: durationMs.max(900_000),
  /** Requests inside one target at a time, for each edge worker; null for no bound. */
  maxConcurrency: z.int().min(1).max(1_000_000).nullable(),
  /** Null: never. */
  ejection: ejectionSchema.nullable(),
  /** From the whole request to the head of the response. */
  responseHeadMs: durationMs.min(100),
  /** Without a byte of a response that has begun, or of an upgraded connection. */
  quietMs: durationMs.min(1_000),
});
export type Balancing = z.infer<typeof balancingSchema>;

/** What is decided before a pool is chosen. */
export const admissionSchema = z.strictObject({
  requestBodyBytes: z.int().min(0),
  /** Requests that wait for a target, for each edge worker. */
  queueLength: z.int().min(0).max(1_000_000),
  queueMs: durationMs,
  /** For one client address (IPv6 by /64), for each edge worker; null for no bound. */
  perClient: z
    .strictObject({
      requestsPerSecond: z.number().positive().max(1_000_000),
      burst: z.int().min(1).max(1_000_000),
    })
    .nullable(),
});
export type Admission = z.infer<typeof admissionSchema>;

export const trafficSchema = z.strictObject({
  balancing: balancingSchema,
  admission: admissionSchema,
  /** A session stays with its target for so long after its last request; null: not at all. */
  stickyMs: durationMs.min(1_000).nullable(),
  /** Null: nothing is kept. */
  cache: cachePolicySchema.nullable().default(null),
  /** The first whose path matches counts. */
  guards: z.array(guardSchema).default([]),
});
export type Traffic = z.infer<typeof trafficSchema>;

/** Envoy's consecutive_5xx and base_ejection_time; its max_ejection_percent is 10, too few of three. */
export const DEFAULT_EJECTION: Ejection = {
  consecutiveErrors: 5,
  timeMs: 30_000,
  maxPercent: 50,
};

/** What is taken where nothing is said. */
export const DEFAULT_TRAFFIC: Traffic = {
  balancing: {
    algorithm: 'round-robin', // ALB's
    slowStartMs: 0, // ALB's: off
    maxConcurrency: null,
    ejection: DEFAULT_EJECTION,
    responseHeadMs: 60_000, // ALB's idle timeout, nginx's proxy_read_timeout
    quietMs: 600_000, // long, because event streams and WebSockets are quiet
  },
  admission: {
    requestBodyBytes: 5 * 1024 ** 3, // S3's largest single PUT; a smaller one is the app's to say
    queueLength: 1_024, // a Classic Load Balancer's surge queue
    queueMs: 10_000, // longer than a rolling step's gap, shorter than a person's patience
    perClient: null,
  },
  stickyMs: null,
  cache: null,
  guards: [],
};
