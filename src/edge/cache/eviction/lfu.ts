import { type Entry, EntryList } from './entry-list.ts';
import type { Eviction } from './eviction.ts';

/** Whoever was used least goes first; among those, whoever has not been used for longest. */
export function lfu(boundBytes: number): Eviction {
  return new Lfu(boundBytes);
}

class Lfu implements Eviction {
  readonly overheadBytes = 0;
  sizeBytes = 0;
  private boundBytes: number;
  private readonly byUses = new Map<number, EntryList>();
  /** No entry was used less. */
  private fewest = 1;

  constructor(boundBytes: number) {
    this.boundBytes = boundBytes;
  }

  add(entry: Entry): Entry[] {
    if (entry.sizeBytes > this.boundBytes) return [entry];
    const gone = this.makeRoomFor(entry.sizeBytes);
    entry.uses = 1;
    this.fewest = 1;
    this.append(entry);
    return gone;
  }

  use(entry: Entry): void {
    this.remove(entry);
    entry.uses += 1;
    this.append(entry);
  }

  resize(entry: Entry, sizeBytes: number): Entry[] {
    this.sizeBytes += sizeBytes - entry.sizeBytes;
    entry.list?.resize(entry, sizeBytes);
    return this.makeRoomFor(0);
  }

  remove(entry: Entry): void {
    const { list, uses } = entry;
    if (list === null) return;
    list.remove(entry);
    this.sizeBytes -= entry.sizeBytes;
    if (list.first === null) this.byUses.delete(uses);
  }

  setBound(boundBytes: number): Entry[] {
    this.boundBytes = boundBytes;
    return this.makeRoomFor(0);
  }

  private makeRoomFor(sizeBytes: number): Entry[] {
    const gone: Entry[] = [];
    while (this.sizeBytes + sizeBytes > this.boundBytes) {
      const least = this.leastUsed();
      if (least === null) break;
      this.remove(least);
      gone.push(least);
    }
    return gone;
  }

  private append(entry: Entry): void {
    const list = this.byUses.get(entry.uses) ?? new EntryList();
    this.byUses.set(entry.uses, list);
    list.append(entry);
    this.sizeBytes += entry.sizeBytes;
  }

  private leastUsed(): Entry | null {
    if (this.byUses.size === 0) return null;
    while (!this.byUses.has(this.fewest)) this.fewest += 1;
    return this.byUses.get(this.fewest)?.first ?? null;
  }
}
