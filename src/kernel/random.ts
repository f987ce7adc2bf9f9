import { randomBytes } from 'node:crypto';

/** `length` random hexadecimal digits. */
export function randomHex(length: number): string {
  return randomBytes(Math.ceil(length / 2))
    .toString('hex')
    .slice(0, length);
}

/** A number from 0 to below 1, for choices that nobody gains by guessing. */
export const randomFraction = (): number => Math.random();
