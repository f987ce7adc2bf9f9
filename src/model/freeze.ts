/** Somebody has said that nothing new is to be deployed for a while. */
export interface Freeze {
  reason: string | null;
  by: string | null;
  since: number;
  /** Null: until somebody lifts it. */
  until: number | null;
}
