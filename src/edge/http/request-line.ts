import type { Limits } from '../limits.ts';
import { consistsOf, isToken, targetTable } from './characters.ts';
import { type Refusal, refusals } from './refusal.ts';

export interface RequestLine {
  method: string;
  /** As it was sent. */
  target: string;
  /** 1 for HTTP/1.1. */
  minorVersion: number;
}

/** What a request line has beside its target, with room for a long method. */
const LINE_OVERHEAD = 64;
/** Half a line end, or NUL. Global, so that it can begin where it left off. */
const strayByte = /(?<!\r)\n|\r(?=[^\n])|\0/g;

/** @param lineEnd where its CRLF is */
export function parseRequestLine(
  text: string,
  lineEnd: number,
  limits: Limits,
): RequestLine | Refusal {
  const methodEnd = text.indexOf(' ');
  if (methodEnd <= 0 || methodEnd > lineEnd) return refusals.malformedLine;
  const targetEnd = text.indexOf(' ', methodEnd + 1);
  if (targetEnd === -1 || targetEnd > lineEnd) return refusals.malformedLine;
  const method = text.slice(0, methodEnd);
  if (method !== 'GET' && !isToken(method)) return refusals.badMethod;
  if (targetEnd - methodEnd - 1 > limits.targetBytes) return refusals.targetTooLong;
  if (!consistsOf(targetTable, text, methodEnd + 1, targetEnd)) return refusals.badTarget;
  const minorVersion = parseVersion(text, targetEnd + 1, lineEnd);
  if (minorVersion < 0) return minorVersion === -1 ? refusals.malformedLine : refusals.badVersion;
  if (method === 'CONNECT' || method === 'TRACE') return refusals.methodNotAllowed;
  return { method, target: text.slice(methodEnd + 1, targetEnd), minorVersion };
}

/**
 * What is wrong with a head of which only the beginning is here; null when nothing yet.
 *
 * @param seen so many bytes of it were found good before, and only what is new is looked at
 */
export function earlyRefusal(text: string, seen: number, limits: Limits): Refusal | null {
  strayByte.lastIndex = Math.max(0, seen - 1);
  if (strayByte.test(text)) return refusals.controlCharacter;
  const lineEnd = text.indexOf('\r\n');
  if (lineEnd === -1) {
    return text.length > limits.targetBytes + LINE_OVERHEAD ? refusals.targetTooLong : null;
  }
  if (lineEnd + 2 <= seen) return null;
  const line = parseRequestLine(text, lineEnd, limits);
  return 'status' in line ? line : null;
}

/** 0 or 1; −1 for what is no version, −2 for one we do not speak. */
function parseVersion(text: string, start: number, end: number): number {
  if (end - start !== 8 || !text.startsWith('HTTP/', start)) return -1;
  if (text.startsWith('1.1', start + 5)) return 1;
  if (text.startsWith('1.0', start + 5)) return 0;
  return /^\d\.\d$/.test(text.slice(start + 5, end)) ? -2 : -1;
}
