/** A step that has been written down: what is left to do. */
export interface Prepared {
  /** Null when writing it down was all. */
  effect: (() => Promise<void>) | null;
  /** Go on with the plan without waiting for the effect. */
  background: boolean;
}

export const recordOnly: Prepared = { effect: null, background: false };
