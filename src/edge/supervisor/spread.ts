import { randomHex } from '../../kernel/random.ts';

/** Checks are spread over time, so that they come neither all at once nor in step. */

/** Intervals differ by up to a tenth. */
const JITTER_SHARE = 0.1;

/** The interval, a little longer or shorter each time. */
export const jittered = (intervalMs: number): number =>
  intervalMs * (1 + JITTER_SHARE * (random() - 0.5));

/** Any part of the interval. */
export const partOf = (intervalMs: number): number => intervalMs * random();

/** From 0 to 1. */
const random = (): number => Number.parseInt(randomHex(6), 16) / 0x1_00_00_00;
