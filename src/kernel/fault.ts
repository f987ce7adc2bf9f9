/**
 * Errors as a product: a stable code, what was being done, to what, why it failed and what to do
 * next. Codes become HTTP statuses and exit codes only at the border of the program.
 */

export interface FaultFields {
  /** Stable, kebab-case, part of the interface: scripts and tests match on it. */
  code: string;
  /** One sentence: what is wrong. No trailing period. */
  message: string;
  /** What it concerns: a file, a name, a key path. */
  subject?: string | undefined;
  /** What to do next, as a sentence or a command. */
  hint?: string | undefined;
  /** Worth trying again without changing anything. */
  retryable?: boolean;
  /** Machine-readable particulars. Never secrets. */
  details?: Readonly<Record<string, unknown>> | undefined;
  cause?: unknown;
}

export interface FaultJson {
  code: string;
  message: string;
  subject?: string | undefined;
  hint?: string | undefined;
  retryable: boolean;
  details?: Readonly<Record<string, unknown>> | undefined;
}

export class Fault extends Error {
  readonly code: string;
  readonly subject: string | undefined;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(fields: FaultFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = 'Fault';
    this.code = fields.code;
    this.subject = fields.subject;
    this.hint = fields.hint;
    this.retryable = fields.retryable ?? false;
    this.details = fields.details;
  }

  toJSON(): FaultJson {
    const { code, message, subject, hint, retryable, details } = this;
    return { code, message, subject, hint, retryable, details };
  }
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The system's error code (`ENOENT`, `EADDRINUSE`), where there is one. */
export function systemCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
