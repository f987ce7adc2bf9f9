/** What is kept under a key. It is a link of the list it is in, so that a use allocates nothing. */
export class Entry<T = unknown> {
  readonly key: string;
  value: T;
  /** Change it only by `EntryList.resize` while it is in a list. */
  sizeBytes: number;
  /** Of the key: 32 bits, kept so that a use does not compute it. */
  readonly hash: number;
  before: Entry | null = null;
  behind: Entry | null = null;
  list: EntryList | null = null;
  /** How often it was used, for those who count. */
  uses = 0;
  /** When it was last used, for those who count time by a clock of their own. */
  since = 0;

  constructor(key: string, value: T, sizeBytes: number) {
    this.key = key;
    this.value = value;
    this.sizeBytes = sizeBytes;
    this.hash = hashOf(key);
  }
}

/** FNV-1a, mixed at the end so that every bit depends on every character; signed: a small integer. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Entries in order, the one to go first in front. */
export class EntryList {
  first: Entry | null = null;
  last: Entry | null = null;
  sizeBytes = 0;

  append(entry: Entry): void {
    entry.list = this;
    entry.before = this.last;
    entry.behind = null;
    if (this.last === null) this.first = entry;
    else this.last.behind = entry;
    this.last = entry;
    this.sizeBytes += entry.sizeBytes;
  }

  remove(entry: Entry): void {
    const { before, behind } = entry;
    if (before === null) this.first = behind;
    else before.behind = behind;
    if (behind === null) this.last = before;
    else behind.before = before;
    entry.before = null;
    entry.behind = null;
    entry.list = null;
    this.sizeBytes -= entry.sizeBytes;
  }

  moveToEnd(entry: Entry): void {
    if (this.last === entry) return;
    this.remove(entry);
    this.append(entry);
  }

  resize(entry: Entry, sizeBytes: number): void {
    this.sizeBytes += sizeBytes - entry.sizeBytes;
    entry.sizeBytes = sizeBytes;
  }
}
