import { z } from 'zod';
import { signingKeySchema } from './signed-token.ts';

/** Who may ask for some paths of an environment, and how often. */
export const guardSchema = z.strictObject({
  /** Of a path without its query; `*` stands for any characters. */
  path: z.string().startsWith('/'),
  /** Only with a token of one of the environment's signing keys. */
  signed: z.boolean(),
  /** Pages elsewhere do not embed it; null: they may. */
  referers: z
    .strictObject({
      /** Host names that may, besides the environment's own; `*.x` for one label below x. */
      hosts: z.array(z.string()),
      /** A request that names no page is refused too. */
      strict: z.boolean(),
    })
    .nullable(),
  /** By parts of what a client calls itself, in lower case; null: anybody may. */
  bots: z
    .strictObject({
      refuse: z.array(z.string().min(1)),
      /** They may, although a part of their name is refused. */
      allow: z.array(z.string().min(1)),
      /** Who does not say what it is may. */
      nameless: z.boolean(),
    })
    .nullable(),
  /** For one client address (IPv6 by /64), for each edge worker; null for no bound. */
  rate: z
    .strictObject({
      requestsPerSecond: z.number().positive().max(1_000_000),
      burst: z.int().min(1).max(1_000_000),
    })
    .nullable(),
});
export type Guard = z.infer<typeof guardSchema>;

/** The guards of one environment as the edge is told of them. */
export const routedGuardsSchema = z.strictObject({
  /** The first whose path matches counts. */
  rules: z.array(guardSchema),
  /** Whose tokens pass; empty where nothing has to be signed. */
  keys: z.array(signingKeySchema),
});
export type RoutedGuards = z.infer<typeof routedGuardsSchema>;

/** Whether anything there has to be signed for. */
export const needsSigning = (guards: readonly Guard[]): boolean =>
  guards.some(({ signed }) => signed);
