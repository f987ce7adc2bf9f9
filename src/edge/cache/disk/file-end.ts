import { Fault } from '../../../kernel/fault.ts';
import { readFully } from './descriptor.ts';
import {
  decodeFooter,
  decodeHead,
  decodeTable,
  endBytesOf,
  type FileLayout,
  isOfAnotherVersion,
} from './file-layout.ts';

/** What is read first: all of a small response, and all but the body of most. */
const TAIL_BYTES = 32 * 1024;

const otherVersion = (): Fault =>
  new Fault({
    code: 'cache-other-version',
    message: 'the kept response was written by another version of Belay',
  });

/** What the end of a file tells. */
export interface FileEnd {
  layout: FileLayout;
  /** Of the blocks of the body. */
  checksums: Uint32Array;
  head: string;
  /** All of it, unchecked, where it came along. */
  body: Buffer | null;
}

/**
 * Null when it is not what was written under the key.
 *
 * @throws `cache-other-version`
 */
export async function readEnd(
  descriptor: number,
  fileBytes: number,
  key: string,
): Promise<FileEnd | null> {
  const tail = await readTail(descriptor, fileBytes);
  const layout = tail && decodeFooter(tail, fileBytes);
  if (tail && isOfAnotherVersion(tail)) throw otherVersion();
  if (!layout) return null;
  const endBytes = endBytesOf(layout);
  const whole = tail.length >= endBytes ? tail : await readTail(descriptor, fileBytes, endBytes);
  if (whole === null) return null;
  const end = whole.subarray(whole.length - endBytes);
  const checksums = decodeTable(layout, key, end);
  if (checksums === null) return null;
  const head = decodeHead(layout, end) ?? (await readHeadAgain(descriptor, layout, fileBytes));
  if (head === null) return null;
  const body = whole.length === fileBytes ? whole.subarray(0, layout.bodyBytes) : null;
  return { layout, checksums, head, body };
}

/** Another process may have been writing the head over while it was read. */
async function readHeadAgain(
  descriptor: number,
  layout: FileLayout,
  fileBytes: number,
): Promise<string | null> {
  const end = await readTail(descriptor, fileBytes, endBytesOf(layout));
  return end && decodeHead(layout, end);
}

/** Null when the file has become shorter. */
async function readTail(
  descriptor: number,
  fileBytes: number,
  bytes = TAIL_BYTES,
): Promise<Buffer | null> {
  const tail = Buffer.allocUnsafeSlow(Math.min(fileBytes, bytes));
  const got = await readFully(descriptor, tail, fileBytes - tail.length);
  return got === tail.length ? tail : null;
}
