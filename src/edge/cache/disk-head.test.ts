import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { keptHead, readDiskHead, variedHead } from './disk-head.ts';
import type { Kept } from './kept-response.ts';
import { ageMsOf } from './reuse.ts';

const kept: Kept = {
  status: 200,
  fields: 'ETag: "a"\r\n',
  body: 'a',
  bodyBytes: 1,
  part: null,
  diskId: 'b',
  tags: ['c'],
  path: '/d',
  target: '/d?e',
  askedUnder: 3,
  etag: '"a"',
  lastModified: null,
  date: 'Thu, 01 Jan 2026 00:00:00 GMT',
  receivedAt: 0,
  ageOnArrivalMs: 5_000,
  lifetimeMs: 60_000,
  alwaysAsk: false,
  neverStale: true,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: null,
  immutable: false,
};

/** Written ten seconds after it came, and read by another process so much later. */
async function readAfter(seconds: number) {
  const writer = manualClock();
  await writer.advance(10_000);
  const text = keptHead(kept, writer);
  const reader = manualClock(writer.now() + seconds * 1000);
  const head = readDiskHead(text, reader);
  return { head, nowMs: reader.monotonic() };
}

describe('a head on disk', () => {
  it('has all that there is beside the body', async () => {
    const { body, diskId, receivedAt, ...rest } = kept;
    expect((await readAfter(0)).head).toMatchObject(rest);
  });

  it.each([0, 30, 86_400])('is as old as it is in another process, %i s later', async (seconds) => {
    const { head, nowMs } = await readAfter(seconds);
    if (head === null || 'varies' in head) throw new Error('not read');
    expect(ageMsOf(head, nowMs)).toBe(15_000 + seconds * 1000);
  });

  it('is no younger than it was, when the clock was put right by a moment', async () => {
    const { head, nowMs } = await readAfter(-10.5);
    if (head === null || 'varies' in head) throw new Error('not read');
    expect(ageMsOf(head, nowMs)).toBe(5_000);
  });

  it('is not read, when the clock was set back and nobody knows how old it is', async () => {
    expect((await readAfter(-3_600)).head).toBeNull();
  });

  it.each(['', '{', '{"form":0}', '[]', 'null', '"a"'])('is none: %s', (text) => {
    expect(readDiskHead(text, manualClock())).toBeNull();
  });

  it('can say by what others vary', () => {
    expect(readDiskHead(variedHead(['a']), manualClock())).toEqual({ varies: ['a'] });
  });
});
