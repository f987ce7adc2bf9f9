import { type Entry, EntryList } from '../../src/edge/cache/eviction/entry-list.ts';
import type { Eviction } from '../../src/edge/cache/eviction/eviction.ts';

/**
 * S3-FIFO (Yang and others, FIFO Queues Are All You Need, 2023), to compare with. What is new goes
 * through a tenth of the room; what was used there, or comes back soon, goes into the rest, where each
 * use lets it go round once more.
 */
export function s3Fifo(boundBytes: number): Eviction {
  return new S3Fifo(boundBytes);
}

const SMALL_SHARE = 0.1;
const MOST_USES = 3;

class S3Fifo implements Eviction {
  private boundBytes: number;
  private readonly small = new EntryList();
  private readonly main = new EntryList();
  /** Of what went from the small part: hash and bytes, as many bytes as the main part has. */
  private readonly ghosts = new Map<number, number>();
  private ghostBytes = 0;

  constructor(boundBytes: number) {
    this.boundBytes = boundBytes;
  }

  get sizeBytes(): number {
    return this.small.sizeBytes + this.main.sizeBytes;
  }

  get overheadBytes(): number {
    return this.ghosts.size * 2 * 28;
  }

  private get smallBytes(): number {
    return this.boundBytes * SMALL_SHARE;
  }

  add(entry: Entry): Entry[] {
    if (entry.sizeBytes > this.smallBytes) return [entry];
    entry.uses = 0;
    const list = this.takeGhost(entry.hash) ? this.main : this.small;
    list.append(entry);
    return this.makeRoom();
  }

  use(entry: Entry): void {
    if (entry.uses < MOST_USES) entry.uses += 1;
  }

  resize(entry: Entry, sizeBytes: number): Entry[] {
    entry.list?.resize(entry, sizeBytes);
    return this.makeRoom();
  }

  remove(entry: Entry): void {
    entry.list?.remove(entry);
  }

  setBound(boundBytes: number): Entry[] {
    this.boundBytes = boundBytes;
    return this.makeRoom();
  }

  private makeRoom(): Entry[] {
    const gone: Entry[] = [];
    while (this.sizeBytes > this.boundBytes) {
      const fromSmall = this.small.sizeBytes > this.smallBytes || this.main.first === null;
      const entry = fromSmall ? this.passSmall() : this.passMain();
      if (entry !== null) gone.push(entry);
    }
    return gone;
  }

  /** @returns the first of the small part if it has to go, null if it went into the main part */
  private passSmall(): Entry | null {
    const { first } = this.small;
    if (first === null) return null;
    this.small.remove(first);
    if (first.uses > 1) {
      first.uses = 0;
      this.main.append(first);
      return null;
    }
    this.addGhost(first);
    return first;
  }

  private passMain(): Entry | null {
    const { first } = this.main;
    if (first === null) return null;
    if (first.uses > 0) {
      first.uses -= 1;
      this.main.moveToEnd(first);
      return null;
    }
    this.main.remove(first);
    return first;
  }

  private addGhost(entry: Entry): void {
    this.takeGhost(entry.hash);
    this.ghosts.set(entry.hash, entry.sizeBytes);
    this.ghostBytes += entry.sizeBytes;
    for (const [hash] of this.ghosts) {
      if (this.ghostBytes <= this.boundBytes - this.smallBytes) break;
      this.takeGhost(hash);
    }
  }

  private takeGhost(hash: number): boolean {
    this.ghostBytes -= this.ghosts.get(hash) ?? 0;
    return this.ghosts.delete(hash);
  }
}
