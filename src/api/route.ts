import { z } from 'zod';
import type { Address } from './addresses.ts';

/** What routes are made of, whichever part of the table they stand in. */

/** Marks what a route answers with. */
export interface Answer<T> {
  readonly type?: T;
  readonly description: string;
}
export const answer = <T>(description: string): Answer<T> => ({ description });

export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
export const environmentParams = z.strictObject({
  application: z.string(),
  environment: z.string(),
});
export const deploymentParams = environmentParams.extend({
  number: z.coerce.number().int().min(1),
});
export const nothing = z.strictObject({});

/** Where a version's bundle comes from, as the client found it. */
export const versionInput = z.strictObject({
  digest,
  files: z.int().min(0),
  sizeBytes: z.int().min(0),
  author: z.string().max(200).nullable(),
  commit: z.string().max(100).nullable(),
});

/** Who asks, and how: of everything that starts a deployment. */
export const mannerFields = {
  /** A user's name, for the record. */
  by: z.string().max(200).nullable().default(null),
  message: z.string().max(1000).nullable().default(null),
  /** Start it although it is frozen, out of its window, or not advisable; it is recorded. */
  force: z.boolean().default(false),
  /** Where it cannot start now: refuse it, queue it, or queue it in the place of waiting deploys. */
  otherwise: z.enum(['refuse', 'queue', 'replace']).default('refuse'),
};
export const byField = mannerFields.by;

export interface Route extends Address {
  summary: string;
  params: z.ZodObject;
  query: z.ZodObject;
  body: z.ZodType | null;
  answer: Answer<unknown>;
}
