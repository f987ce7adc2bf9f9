import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';

/**
 * Logs lie at `logs/<application>/<environment>/<instance>.log` and outlive the instance, which
 * writes them itself. The front of a file may be a hole, which reads as NUL bytes.
 */

const BLOCK_BYTES = 64 * 1024;
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
    const tail = await readTail(file, count);
    const hole = tail.lastIndexOf(0);
    const start = hole === -1 ? 0 : tail.indexOf(NEWLINE, hole) + 1;
    const lines = tail.toString('utf8', hole !== -1 && start === 0 ? hole + 1 : start).split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-count);
  } finally {
    await file.close();
  }
}

/** Lines as they are written, from the present end of the file on. */
export async function* followLog(
  path: string,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const file = await open(path, 'r');
  try {
    let position = (await file.stat()).size;
    let held = Buffer.alloc(0);
    while (!signal.aborted) {
      const block = await readBlock(file, position, BLOCK_BYTES);
      if (block.length === 0) {
        await clock.sleep(FOLLOW_PERIOD_MS, signal);
        continue;
      }
      position += block.length;
      held = Buffer.concat([held, block]);
      const end = held.lastIndexOf(NEWLINE);
      if (end === -1 && held.length < MAX_LINE_BYTES) continue;
      const cut = end === -1 ? held.length : end;
      yield* held.toString('utf8', 0, cut).replaceAll('\0', '').split('\n');
      held = held.subarray(end === -1 ? cut : cut + 1);
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
    const from = Math.max(0, position - BLOCK_BYTES);
    const block = await readBlock(file, from, position - from);
    blocks.unshift(block);
    heldBytes += block.length;
    position = from;
    for (const byte of block) if (byte === NEWLINE) ends += 1;
    if (block.includes(0)) break;
  }
  return Buffer.concat(blocks);
}

async function readBlock(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
