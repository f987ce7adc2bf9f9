import { Header, Pax } from 'tar';
import type { BundleEntry } from './entry.ts';

/** The archive format: ustar with extended headers where they are needed, and nothing that varies. */

const BLOCK_BYTES = 512;

/** One fixed time for everything, so that the same content gives the same archive. */
const EPOCH = new Date(0);

/** Two empty blocks. */
export const tarEnd = Buffer.alloc(2 * BLOCK_BYTES);

export function* tarHeader(entry: BundleEntry): Generator<Buffer> {
  const fields = {
    path: entry.path,
    mode: modeOf(entry),
    uid: 0,
    gid: 0,
    size: entry.kind === 'file' ? entry.sizeBytes : 0,
    mtime: EPOCH,
    type: entry.kind === 'file' ? ('File' as const) : ('SymbolicLink' as const),
    ...(entry.kind === 'link' ? { linkpath: entry.target } : {}),
  };
  const header = new Header(fields);
  // Says whether the fields do not fit and an extended header has to come first.
  if (header.encode()) {
    const { path, size } = fields;
    const linkpath = entry.kind === 'link' ? { linkpath: entry.target } : {};
    yield new Pax({ path, size, ...linkpath }).encode();
  }
  if (header.block) yield header.block;
}

/** What fills the last block of a file's content. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

function modeOf(entry: BundleEntry): number {
  if (entry.kind === 'link') return 0o777;
  return entry.executable ? 0o755 : 0o644;
}
