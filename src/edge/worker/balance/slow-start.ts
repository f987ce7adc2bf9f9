import type { Pickable } from './picker.ts';

/**
 * Slow start, as ALB's: what becomes healthy while another is healthy and at its full share gets
 * its own by and by, growing evenly over the time. It ends with that time, or when the target is
 * out of rotation, and begins anew when it comes back.
 */

/** A share is never less, so that one can be divided by it. */
const LEAST_SHARE = 0.01;

/** Of what a choice would get, what it gets now: 1 outside slow start. */
export function shareOf(choice: Pickable, nowMs: number): number {
  if (choice.slowUntilMs <= nowMs) return 1;
  const share = 1 - (choice.slowUntilMs - nowMs) / choice.slowStartMs;
  return share > LEAST_SHARE ? share : LEAST_SHARE;
}

/**
 * Whether a choice takes the turn that has come to it. In slow start it saves up its share of every
 * turn until that is a whole one, so that what it gets is exact, without chance.
 */
export function takesTurn(choice: Pickable, nowMs: number): boolean {
  if (choice.slowUntilMs <= nowMs) return true;
  choice.turnCredit += shareOf(choice, nowMs);
  if (choice.turnCredit < 1) return false;
  choice.turnCredit -= 1;
  return true;
}
