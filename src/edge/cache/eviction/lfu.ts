import { type Entry, EntryList } from './entry-list.ts';
import type { Eviction } from './eviction.ts';

/** Whoever was used least goes first; among those, whoever has not been used for longest. */
export function lfu(boundBytes: number): Eviction {
  const byUses = new Map<number, EntryList>();
  let sizeBytes = 0;
  let fewest = 0;

  const listOf = (uses: number): EntryList => {
    const list = byUses.get(uses) ?? new EntryList();
    byUses.set(uses, list);
    return list;
  };
  const remove = (entry: Entry): void => {
    const { list, uses } = entry;
    if (list === null) return;
    list.remove(entry);
    sizeBytes -= entry.sizeBytes;
    if (list.first === null) byUses.delete(uses);
  };
  const append = (entry: Entry): void => {
    listOf(entry.uses).append(entry);
    sizeBytes += entry.sizeBytes;
  };
  const leastUsed = (): Entry | null => {
    while (byUses.size > 0 && !byUses.has(fewest)) fewest += 1;
    return byUses.get(fewest)?.first ?? null;
  };

  return {
    get sizeBytes() {
      return sizeBytes;
    },
    add(entry) {
      if (entry.sizeBytes > boundBytes) return [entry];
      const gone: Entry[] = [];
      while (sizeBytes + entry.sizeBytes > boundBytes) {
        const least = leastUsed();
        if (least === null) break;
        remove(least);
        gone.push(least);
      }
      entry.uses = 1;
      fewest = 1;
      append(entry);
      return gone;
    },
    use(entry) {
      remove(entry);
      entry.uses += 1;
      append(entry);
    },
    remove,
  };
}
