import { type Entry, EntryList } from './entry-list.ts';
import type { Eviction } from './eviction.ts';

/** Whoever came first goes first, used or not. */
export function fifo(boundBytes: number): Eviction {
  return inOrder(boundBytes, () => {});
}

/** Whoever has not been used for longest goes first. */
export function lru(boundBytes: number): Eviction {
  return inOrder(boundBytes, (list, entry) => list.moveToEnd(entry));
}

function inOrder(boundBytes: number, use: (list: EntryList, entry: Entry) => void): Eviction {
  const list = new EntryList();
  return {
    get sizeBytes() {
      return list.sizeBytes;
    },
    add(entry) {
      if (entry.sizeBytes > boundBytes) return [entry];
      const gone: Entry[] = [];
      while (list.first !== null && list.sizeBytes + entry.sizeBytes > boundBytes) {
        gone.push(list.first);
        list.remove(list.first);
      }
      list.append(entry);
      return gone;
    },
    use: (entry) => use(list, entry),
    remove: (entry) => list.remove(entry),
  };
}
