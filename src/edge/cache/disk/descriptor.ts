import fs from 'node:fs';
import { promisify } from 'node:util';

/**
 * Files by their descriptors, off the event loop. Node's file handles do the same, at twice the cost
 * for a piece.
 */

export const openDescriptor: (path: string, flags: number, mode?: number) => Promise<number> =
  promisify(fs.open);

/** A descriptor that cannot be closed is gone all the same. */
export function closeDescriptor(descriptor: number): void {
  fs.close(descriptor, () => {});
}

/** How many bytes there were: fewer than the buffer takes only at the end of the file. */
export async function readFully(
  descriptor: number,
  buffer: Buffer,
  position: number,
): Promise<number> {
  let bytes = 0;
  while (bytes < buffer.length) {
    const got = await readOnce(descriptor, buffer, bytes, position + bytes);
    if (got === 0) break;
    bytes += got;
  }
  return bytes;
}

function readOnce(
  descriptor: number,
  buffer: Buffer,
  offset: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, buffer, offset, buffer.length - offset, position, (error, bytes) => {
      if (error) reject(error);
      else resolve(bytes);
    });
  });
}

/** All of them, one behind the other. */
export async function writeFully(
  descriptor: number,
  buffers: readonly Buffer[],
  position: number,
): Promise<void> {
  let rest = buffers.filter((buffer) => buffer.length > 0);
  let at = position;
  while (rest.length > 0) {
    const written = await writeOnce(descriptor, rest.slice(0, MOST_BUFFERS), at);
    at += written;
    rest = behind(rest, written);
  }
}

/** IOV_MAX of Linux. */
const MOST_BUFFERS = 1_024;

function writeOnce(
  descriptor: number,
  buffers: readonly Buffer[],
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(descriptor, buffers as Buffer<ArrayBuffer>[], position, (error, bytes) => {
      if (error) reject(error);
      else resolve(bytes);
    });
  });
}

function behind(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  let index = 0;
  for (; index < buffers.length; index += 1) {
    const length = buffers[index]?.length ?? 0;
    if (left < length) break;
    left -= length;
  }
  const rest = buffers.slice(index);
  const first = rest[0];
  if (first !== undefined && left > 0) rest[0] = first.subarray(left);
  return rest;
}
