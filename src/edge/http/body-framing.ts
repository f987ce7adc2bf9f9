import { type Refusal, refusals } from './refusal.ts';

/** How a body is delimited: a number of bytes, or one of these. */
export const CHUNKED = -1;
export const UNTIL_CLOSE = -2;

const ZERO = 0x30;
const DIGITS = /^[0-9]+$/;
/** The digits of Number.MAX_SAFE_INTEGER, less one. */
const MAX_LENGTH_DIGITS = 15;

/** The length in a Content-Length; NaN when it is not one decimal number that can be counted to. */
export function contentLength(value: string): number {
  if (value === '' || value.length > MAX_LENGTH_DIGITS) return Number.NaN;
  let length = 0;
  for (let i = 0; i < value.length; i += 1) {
    const digit = value.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    length = length * 10 + digit;
  }
  return length;
}

/**
 * How a request's body is delimited.
 *
 * @param length the one Content-Length, or null
 * @param coding the one Transfer-Encoding, in lower case, or null
 */
export function requestFraming(
  length: string | null,
  coding: string | null,
  minorVersion: number,
): number | Refusal {
  if (coding !== null) {
    if (minorVersion === 0) return refusals.codingBefore11;
    if (length !== null) return refusals.lengthAndCoding;
    if (coding === '' || /^chunked\s*,|,\s*$|^,/.test(coding)) return refusals.badCoding;
    return coding === 'chunked' ? CHUNKED : refusals.unknownCoding;
  }
  if (length === null) return 0;
  if (!DIGITS.test(length)) return refusals.badLength;
  const sizeBytes = contentLength(length);
  return Number.isNaN(sizeBytes) ? refusals.bodyTooLarge : sizeBytes;
}
