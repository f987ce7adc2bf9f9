import type { Clock } from '../../kernel/clock.ts';
import type { Kept } from './kept-response.ts';

/** What lies on disk of a kept response beside its body, as text. */

/** Another form has another number: what is of another is not read. */
const FORM = 1;

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
  let read: { form?: unknown } & (KeptHead | VariedHead);
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  const { form, ...head } = read;
  if (form !== FORM) return null;
  if ('varies' in head) return head;
  // A clock that was set back makes nothing younger than new.
  const agoMs = Math.max(0, clock.now() - head.receivedAt);
  return { ...head, receivedAt: clock.monotonic() - agoMs };
}
