import { z } from 'zod';
import { isAddressRange } from './address-range.ts';
import { nameProblem } from './name.ts';

/** What holds for the edge as a whole, whatever environment a request is for. */

/** `10.0.0.0/8`, `::1`, `fd00::/8`. */
const addressRange = z.string().refine(isAddressRange, {
  error: 'is not an address or a range of them, such as 10.0.0.0/8',
});

export const edgeSettingsSchema = z.strictObject({
  /** Processes that serve; what they count and limit, each does for itself. */
  workers: z.int().min(1).max(64),
  /** The zone it stands in: targets there are preferred. Null: it has none. */
  zone: z
    .string()
    .refine((value) => nameProblem(value) === null, { error: 'is not a kebab-case name' })
    .nullable(),
  /** Peers whose X-Forwarded-* are believed and appended to. */
  trustedProxies: z.array(addressRange).max(100),
  accessLog: z.enum(['off', 'json', 'combined']),
  /** Request and response heads, request line included. */
  headBytes: z
    .int()
    .min(1_024)
    .max(1024 * 1024),
  targetBytes: z
    .int()
    .min(64)
    .max(1024 * 1024),
  fields: z.int().min(8).max(10_000),
  /** From the first byte of a head to its last. */
  headMs: z.int().min(100).max(600_000),
  /** Between two requests of a client connection. */
  idleMs: z.int().min(100).max(3_600_000),
  /** Without a byte of progress in a request body that is on its way. */
  bodyProgressMs: z.int().min(100).max(3_600_000),
  /** Open client connections, for each worker. */
  connections: z.int().min(1).max(10_000_000),
  /** Of one client address (IPv6 by /64), for each worker; null for no bound. */
  connectionsPerClient: z.int().min(1).max(10_000_000).nullable(),
  /** What is kept of answers in memory, for each worker. */
  cacheMemoryBytes: z
    .int()
    .min(1024 * 1024)
    .max(64 * 1024 ** 3)
    .default(64 * 1024 * 1024),
  /** What is kept of them on disk, for all workers; 0: nothing. */
  cacheDiskBytes: z
    .int()
    .min(0)
    .max(1024 ** 5)
    .default(1024 ** 3),
});
export type EdgeSettings = z.infer<typeof edgeSettingsSchema>;

/** What is taken where nothing is said. */
export const DEFAULT_EDGE_SETTINGS: EdgeSettings = {
  workers: 1,
  zone: null,
  trustedProxies: [],
  accessLog: 'off',
  headBytes: 32 * 1024, // nginx: 4 × 8 KiB large_client_header_buffers
  targetBytes: 8 * 1024, // RFC 9112 section 3 asks for 8,000 octets at least
  fields: 100, // Apache's LimitRequestFields
  headMs: 10_000, // HAProxy's recommended timeout http-request
  idleMs: 75_000, // nginx's keepalive_timeout
  bodyProgressMs: 30_000, // half of nginx's client_body_timeout
  connections: 50_000, // what a worker holds in some 400 MB
  connectionsPerClient: null,
  cacheMemoryBytes: 64 * 1024 * 1024,
  cacheDiskBytes: 1024 ** 3, // a disk is shared with others
};
