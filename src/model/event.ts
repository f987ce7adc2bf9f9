/** Something that happened, in a sentence a person understands, numbered for replay. */
export interface BelayEvent {
  id: number;
  at: number;
  environment: string | null;
  severity: 'info' | 'warning' | 'error';
  /** Stable, kebab-case: `instance-died`, `deployment-succeeded`. */
  type: string;
  message: string;
  instance: string | null;
  deployment: number | null;
}

export type NewEvent = Pick<BelayEvent, 'severity' | 'type' | 'message'> &
  Partial<Pick<BelayEvent, 'environment' | 'instance' | 'deployment'>>;
