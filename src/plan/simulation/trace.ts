/** A load as it was, or as somebody imagines it: how many requests came in each minute. */
export interface Trace {
  /** When its first minute begins, milliseconds since the epoch. */
  startAt: number;
  /** One number for each minute, without a gap. */
  requests: readonly number[];
}

export const MINUTE_MS = 60_000;
