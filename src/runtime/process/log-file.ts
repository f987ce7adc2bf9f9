import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { HOLE_ALIGN_BYTES } from './log-bound.ts';

/**
 * Logs lie at `logs/<application>/<environment>/<instance>.log` and outlive the instance, which
 * writes them itself. The front of a file may be a hole, which reads as NUL bytes.
 */

/** Read in the blocks that holes are made of, each from its beginning. */
const BLOCK_BYTES = HOLE_ALIGN_BYTES;
/** `tail` reads no further back than this, however long the lines are. */
const MAX_TAIL_BYTES = 8 * 1024 * 1024;
/** A line longer than this is followed in pieces. */
const MAX_LINE_BYTES = 1024 * 1024;
const FOLLOW_PERIOD_MS = 100;
const NEWLINE = 10;

/** Opens the log for the instance to inherit: each write goes to the end, whoever writes. */
export async function openLog(path: string, folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return open(path, 'a', 0o600);
}

/** The log of an instance that may be long gone, or null when it never had one. */
export async function findLog(logs: string, instance: string): Promise<string | null> {
  for (const application of await folders(logs)) {
    for (const environment of await folders(join(logs, application))) {
      const path = join(logs, application, environment, `${instance}.log`);
      if (await stat(path).catch(() => null)) return path;
    }
  }
  return null;
}

/** The last `count` lines, oldest first. A line cut by the hole's edge is left out. */
export async function tailLog(path: string, count: number): Promise<string[]> {
  if (count <= 0) return [];
  const file = await open(path, 'r');
  try {
    const lines = (await readTail(file, count)).toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-count);
  } finally {
    await file.close();
  }
}

/**
 * Lines as they are written, from the present end of the file on. Where a hole has taken what was
 * not yet read, the lines that it cut are left out.
 */
export async function* followLog(
  path: string,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const file = await open(path, 'r');
  try {
    let position = (await file.stat()).size;
    let held = Buffer.alloc(0);
    let cut = false;
    while (!signal.aborted) {
      const block = await readBlock(file, position, toNextBlock(position));
      if (block.length === 0) {
        await clock.sleep(FOLLOW_PERIOD_MS, signal);
        continue;
      }
      position += block.length;
      if (isHole(block, position)) {
        held = Buffer.alloc(0);
        cut = true;
        continue;
      }
      held = Buffer.concat([held, cut ? afterNewline(block) : block]);
      cut &&= !block.includes(NEWLINE);
      const newline = held.lastIndexOf(NEWLINE);
      if (newline === -1 && held.length < MAX_LINE_BYTES) continue;
      const end = newline === -1 ? held.length : newline;
      const lines = held.toString('utf8', 0, end).split('\n');
      held = held.subarray(end + 1);
      yield* lines;
    }
  } finally {
    await file.close();
  }
}

/** Reads backwards until there are enough line ends, the file begins, or a hole does. */
async function readTail(file: FileHandle, count: number): Promise<Buffer> {
  const blocks: Buffer[] = [];
  let { size: position } = await file.stat();
  // The last line's own end does not part it from another.
  let ends = -1;
  let heldBytes = 0;
  while (position > 0 && ends < count && heldBytes < MAX_TAIL_BYTES) {
    const from = position - 1 - ((position - 1) % BLOCK_BYTES);
    const block = await readBlock(file, from, position - from);
    if (isHole(block, position)) return afterNewline(Buffer.concat(blocks));
    blocks.unshift(block);
    heldBytes += block.length;
    position = from;
    for (const byte of block) if (byte === NEWLINE) ends += 1;
  }
  return Buffer.concat(blocks);
}

const toNextBlock = (position: number): number => BLOCK_BYTES - (position % BLOCK_BYTES);

/** Holes end where blocks do; NUL bytes anywhere else are the instance's own. */
function isHole(block: Buffer, end: number): boolean {
  return end % BLOCK_BYTES === 0 && block.every((byte) => byte === 0);
}

/** What follows the first line end: nothing when there is none. */
function afterNewline(block: Buffer): Buffer {
  const end = block.indexOf(NEWLINE);
  return end === -1 ? block.subarray(block.length) : block.subarray(end + 1);
}

async function readBlock(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
