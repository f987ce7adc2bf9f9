import type { TargetState } from './target-state.ts';

/** Where a client was before, as its cookies say and our signature confirms. */
export interface Assignment {
  /** Empty for none. */
  pool: string;
  target: string;
}

/** Keeps the sessions of one route where they are. */
export interface Stickiness {
  /** @param fields the request's header lines; null when they carry no valid cookie of ours */
  read(fields: string): Assignment | null;
  /** `Set-Cookie` lines for an answer from there, each with its CRLF. */
  fields(before: Assignment | null, target: TargetState): string;
}
