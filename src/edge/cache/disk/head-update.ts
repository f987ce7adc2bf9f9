import { constants, fstatSync } from 'node:fs';
import { closeDescriptor, openDescriptor, writeFully } from './descriptor.ts';
import { readEnd } from './file-end.ts';
import { encodeSlot, slotPosition } from './file-layout.ts';

const READ_WRITE = constants.O_RDWR | constants.O_NOFOLLOW;

/**
 * Writes a head over the one in a file, in one piece: a process that is killed leaves the one or the
 * other, and what a crash of the machine leaves has a wrong checksum and is not used.
 *
 * @returns `other`: another response, or none that is right, lies there; `too-long`: it has no room
 * @throws the system's error
 */
export async function updateHead(
  path: string,
  key: string,
  id: string,
  head: string,
): Promise<'written' | 'other' | 'too-long'> {
  const descriptor = await openDescriptor(path, READ_WRITE);
  try {
    const end = await readEnd(descriptor, fstatSync(descriptor).size, key);
    if (end === null || end.layout.id !== id) return 'other';
    const slot = encodeSlot(end.layout, head);
    if (slot === null) return 'too-long';
    await writeFully(descriptor, [slot], slotPosition(end.layout));
    return 'written';
  } finally {
    closeDescriptor(descriptor);
  }
}
