import { crc32 } from 'node:zlib';

/**
 * How a kept response lies in its file, so that one read of its end tells what it is:
 *
 *     body · table · key · slot · footer
 *
 * The body comes first, because its size may not be known before its end. The table has a checksum
 * for each block of the body. The slot has the head and room for a longer one: it alone is written
 * over later. The footer has the sizes of all, and checksums of the table, the key and itself; the
 * file is exactly as long as they say.
 *
 * The checksums of blocks, content and slot start from the response's own id and the place they are
 * for, so that a right block in a wrong place, or of another file, is wrong.
 */

/** What is checked, and so read, at once. */
export const BLOCK_BYTES = 64 * 1024;
export const FOOTER_BYTES = 64;
const CHECKSUM_BYTES = 4;
/** Length and checksum of the head. */
const SLOT_HEAD_BYTES = 8;
/** What a head may grow by in its slot: a date here, a directive there. */
const SLOT_ROOM_BYTES = 256;
const MAGIC = Buffer.from('BelayKpt');
/** Where the version is, and the magic before it, stays for ever. */
const VERSION = 1;

/** Where in a footer. */
const AT = { version: 8, block: 12, body: 16, key: 24, slot: 28, id: 32, content: 56, footer: 60 };
/** What checksums start from, beside the id. Blocks have their numbers. */
const OF_SLOT = 0xffff_ffff;
const OF_CONTENT = 0xffff_fffe;

export interface FileLayout {
  /** 16 hexadecimal digits. */
  id: string;
  bodyBytes: number;
  keyBytes: number;
  slotBytes: number;
}

/** How many blocks a body has; the last may be short. */
const blocksIn = (bodyBytes: number): number => Math.ceil(bodyBytes / BLOCK_BYTES);

/** Of all that is behind the body. */
export function endBytesOf({ bodyBytes, keyBytes, slotBytes }: FileLayout): number {
  return blocksIn(bodyBytes) * CHECKSUM_BYTES + keyBytes + slotBytes + FOOTER_BYTES;
}

/** Where the slot begins in the file. */
export function slotPosition(layout: FileLayout): number {
  return layout.bodyBytes + endBytesOf(layout) - FOOTER_BYTES - layout.slotBytes;
}

/** What the checksum of a block starts from, or goes on from over a further part of it. */
export function blockSeed(id: string, block: number): number {
  return (Number.parseInt(id.slice(0, 8), 16) ^ block) >>> 0;
}

export function blockChecksum(id: string, block: number, bytes: Buffer): number {
  return crc32(bytes, blockSeed(id, block));
}

/** All that is behind the body. */
export function encodeEnd(
  id: string,
  key: string,
  head: string,
  bodyBytes: number,
  checksums: readonly number[],
): Buffer {
  const keyText = Buffer.from(key);
  const slotBytes = SLOT_HEAD_BYTES + Buffer.byteLength(head) + SLOT_ROOM_BYTES;
  const layout = { id, bodyBytes, keyBytes: keyText.length, slotBytes };
  const end = Buffer.alloc(endBytesOf(layout));
  let position = 0;
  for (const checksum of checksums) position = end.writeUInt32LE(checksum, position);
  position += keyText.copy(end, position);
  const content = crc32(end.subarray(0, position), blockSeed(id, OF_CONTENT));
  encodeSlot(layout, head)?.copy(end, position);
  encodeFooter(layout, content).copy(end, position + slotBytes);
  return end;
}

function encodeFooter({ id, bodyBytes, keyBytes, slotBytes }: FileLayout, content: number): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES);
  MAGIC.copy(footer);
  footer.writeUInt32LE(VERSION, AT.version);
  footer.writeUInt32LE(BLOCK_BYTES, AT.block);
  footer.writeBigUInt64LE(BigInt(bodyBytes), AT.body);
  footer.writeUInt32LE(keyBytes, AT.key);
  footer.writeUInt32LE(slotBytes, AT.slot);
  footer.write(id, AT.id, 'hex');
  footer.writeUInt32LE(content, AT.content);
  footer.writeUInt32LE(footerChecksum(footer), AT.footer);
  return footer;
}

const footerChecksum = (footer: Buffer): number => crc32(footer.subarray(0, AT.footer));

/** A slot with that head; null when there is no room for it. */
export function encodeSlot({ id, slotBytes }: FileLayout, head: string): Buffer | null {
  const text = Buffer.from(head);
  if (SLOT_HEAD_BYTES + text.length > slotBytes) return null;
  const slot = Buffer.alloc(slotBytes);
  text.copy(slot, SLOT_HEAD_BYTES);
  slot.writeUInt32LE(text.length, 4);
  slot.writeUInt32LE(crc32(slot.subarray(4), blockSeed(id, OF_SLOT)), 0);
  return slot;
}

/** Null when it is not what was written. */
function decodeSlot(id: string, slot: Buffer): string | null {
  if (crc32(slot.subarray(4), blockSeed(id, OF_SLOT)) !== slot.readUInt32LE(0)) return null;
  return slot.toString('utf8', SLOT_HEAD_BYTES, SLOT_HEAD_BYTES + slot.readUInt32LE(4));
}

/** Whether the last bytes of a file are those of an earlier or later Belay. */
export function isOfAnotherVersion(tail: Buffer): boolean {
  if (tail.length < FOOTER_BYTES) return false;
  const footer = tail.subarray(-FOOTER_BYTES);
  return (
    footer.subarray(0, MAGIC.length).equals(MAGIC) && footer.readUInt32LE(AT.version) !== VERSION
  );
}

/** The layout that the last bytes of a file tell; null when they tell none, or it has another length. */
export function decodeFooter(tail: Buffer, fileBytes: number): FileLayout | null {
  if (tail.length < FOOTER_BYTES) return null;
  const footer = tail.subarray(tail.length - FOOTER_BYTES);
  if (!footer.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  if (footer.readUInt32LE(AT.version) !== VERSION) return null;
  if (footer.readUInt32LE(AT.block) !== BLOCK_BYTES) return null;
  if (footer.readUInt32LE(AT.footer) !== footerChecksum(footer)) return null;
  const layout = {
    id: footer.toString('hex', AT.id, AT.id + 8),
    bodyBytes: Number(footer.readBigUInt64LE(AT.body)),
    keyBytes: footer.readUInt32LE(AT.key),
    slotBytes: footer.readUInt32LE(AT.slot),
  };
  return layout.bodyBytes + endBytesOf(layout) === fileBytes ? layout : null;
}

/**
 * The checksums of the blocks; null when they or the key are not what was written, or it is another
 * key: two may have the same file name.
 *
 * @param end all that is behind the body
 */
export function decodeTable(layout: FileLayout, key: string, end: Buffer): Uint32Array | null {
  const checksums = new Uint32Array(blocksIn(layout.bodyBytes));
  const tableBytes = checksums.length * CHECKSUM_BYTES;
  const keyEnd = tableBytes + layout.keyBytes;
  const content = crc32(end.subarray(0, keyEnd), blockSeed(layout.id, OF_CONTENT));
  if (content !== end.readUInt32LE(end.length - FOOTER_BYTES + AT.content)) return null;
  if (end.toString('utf8', tableBytes, keyEnd) !== key) return null;
  for (let block = 0; block < checksums.length; block += 1) {
    checksums[block] = end.readUInt32LE(block * CHECKSUM_BYTES);
  }
  return checksums;
}

/** The head in all that is behind the body; null when it is not what was written. */
export function decodeHead(layout: FileLayout, end: Buffer): string | null {
  const slotEnd = end.length - FOOTER_BYTES;
  return decodeSlot(layout.id, end.subarray(slotEnd - layout.slotBytes, slotEnd));
}
