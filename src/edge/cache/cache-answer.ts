import type { MessageWriter } from '../http/message-writer.ts';
import type { RequestHead } from '../http/request-head.ts';
import { contentRange, type RangeAsked, rangeOf, unsatisfiedRange } from './byte-ranges.ts';
import type { KeptResponse } from './kept-response.ts';
import type { CacheRequestFields } from './request-fields.ts';
import { continues, isNotModified } from './validators.ts';

/** What a client gets of what is kept: all of it, a part, its head, or the word that it has it. */
export interface CacheAnswer {
  status: number;
  head: string;
  /** Of the body, from this byte to before that one. */
  start: number;
  end: number;
}

export interface AnswerContext {
  /** Monotonic, and since the epoch. */
  nowMs: number;
  now: number;
  /** The client's connection goes on. */
  keep: boolean;
  /** Of this answer. */
  cacheStatus: string;
}

const WHOLE: RangeAsked = { kind: 'whole' };

export function answerOf(
  kept: KeptResponse,
  head: Pick<RequestHead, 'method' | 'minorVersion'>,
  asked: CacheRequestFields | null,
  { nowMs, now, keep, cacheStatus }: AnswerContext,
): CacheAnswer {
  const { status, bodyBytes } = kept.kept;
  const part = kept.kept.part ?? { start: 0, sizeBytes: bodyBytes };
  const connection = connectionLine(keep, head.minorVersion);
  const isOk = status === 200 || status === 206;
  if (asked !== null && isOk && isNotModified(asked, kept.kept, now)) {
    const notModified = kept.headAt(nowMs, cacheStatus, connection, { status: 304, length: null });
    return { status: 304, head: notModified, start: 0, end: 0 };
  }
  // Only GET knows ranges (RFC 9110 section 14.2).
  const mayBePart = isOk && head.method === 'GET' && asked !== null && asked.range !== null;
  const range =
    mayBePart && continues(asked.ifRange, kept.kept, now)
      ? rangeOf(asked.range, part.sizeBytes)
      : WHOLE;
  if (range.kind === 'unsatisfiable') {
    const line = `Content-Range: ${unsatisfiedRange(part.sizeBytes)}\r\n${connection}`;
    const text = kept.headAt(nowMs, cacheStatus, line, { status: 416, length: 0 });
    return { status: 416, head: text, start: 0, end: 0 };
  }
  if (range.kind === 'part') {
    const { start, end } = range;
    const line = `Content-Range: ${contentRange(range, part.sizeBytes)}\r\n${connection}`;
    const text = kept.headAt(nowMs, cacheStatus, line, { status: 206, length: end - start });
    return { status: 206, head: text, start: start - part.start, end: end - part.start };
  }
  const end = head.method === 'HEAD' ? 0 : bodyBytes;
  const text = kept.headAt(nowMs, cacheStatus, connection, { status, length: bodyBytes });
  return { status, head: text, start: 0, end };
}

/** What the hop to the client is told of its connection. */
export function connectionLine(keep: boolean, minorVersion: number): string {
  if (!keep) return 'Connection: close\r\n';
  return minorVersion === 0 ? 'Connection: keep-alive\r\n' : '';
}

/** Writes what is in memory of it. */
export function writeAnswer(
  writer: MessageWriter,
  { head, start, end }: CacheAnswer,
  body: string | Buffer,
): void {
  const size = end - start;
  if (size === 0) {
    writer.raw(head);
    writer.flush();
  } else if (typeof body === 'string') {
    writer.raw(size === body.length ? head + body : head + body.slice(start, end));
    writer.flush();
  } else {
    writer.headAndBody(head, size === body.length ? body : body.subarray(start, end));
  }
}
