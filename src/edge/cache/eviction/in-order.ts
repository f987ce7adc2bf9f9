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
  let bound = boundBytes;

  const makeRoomFor = (sizeBytes: number): Entry[] => {
    const gone: Entry[] = [];
    while (list.first !== null && list.sizeBytes + sizeBytes > bound) {
      gone.push(list.first);
      list.remove(list.first);
    }
    return gone;
  };

  return {
    overheadBytes: 0,
    get sizeBytes() {
      return list.sizeBytes;
    },
    add(entry) {
      if (entry.sizeBytes > bound) return [entry];
      const gone = makeRoomFor(entry.sizeBytes);
      list.append(entry);
      return gone;
    },
    use: (entry) => use(list, entry),
    resize(entry, sizeBytes) {
      list.resize(entry, sizeBytes);
      return makeRoomFor(0);
    },
    remove: (entry) => list.remove(entry),
    setBound(next) {
      bound = next;
      return makeRoomFor(0);
    },
  };
}
