import type { Clock } from '../../kernel/clock.ts';
import type { Kept } from './kept-response.ts';

/** What lies on disk of a kept response beside its body, as text. */

/** Another form has another number: what is of another is not read. */
const FORM = 1;

/** So far clocks go back in being kept right, and nothing is too old for it. */
const MOST_BACK_MS = 1_000;

/** By what answers under a key vary, instead of an answer. */
export interface VariedHead {
  varies: readonly string[];
}

/** Without its body. */
export type KeptHead = Omit<Kept, 'body' | 'diskId'>;

export const variedHead = (varies: readonly string[]): string =>
  JSON.stringify({ form: FORM, varies });

/** The clock of a process means nothing to the next: times are told since the epoch. */
export function keptHead({ body, diskId, ...head }: Kept, clock: Clock): string {
  const agoMs = clock.monotonic() - head.receivedAt;
  return JSON.stringify({ form: FORM, ...head, receivedAt: clock.now() - agoMs });
}

/** @returns null when it is not of this form */
export function readDiskHead(text: string, clock: Clock): KeptHead | VariedHead | null {
  let read: ({ form?: unknown } & (KeptHead | VariedHead)) | null;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (read?.form !== FORM) return null;
  const { form, ...head } = read;
  if ('varies' in head) return head;
  const agoMs = clock.now() - head.receivedAt;
  // It came before a clock was set back: nobody knows how old it is.
  if (agoMs < -MOST_BACK_MS) return null;
  return { ...head, receivedAt: clock.monotonic() - Math.max(0, agoMs) };
}
