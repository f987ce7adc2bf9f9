import { getHeapStatistics } from 'node:v8';
import { Entry } from './eviction/entry-list.ts';
import type { Eviction, EvictionFactory } from './eviction/eviction.ts';
import { greedyDual } from './eviction/greedy-dual.ts';
import { MapSize } from './map-size.ts';
import { ownText, textMemoryBytes } from './own-memory.ts';

/** The object of an entry: its header and its fields. */
const ENTRY_BYTES = 12 * 8;
/**
 * Most of what is kept is in V8's heap, and a process whose heap is full ends. What clients and
 * connections need, and what is not collected yet, has the other half.
 */
const MOST_BYTES = getHeapStatistics().heap_size_limit / 2;
/** A Map of V8 holds 2^24 places, and those of deleted keys count until half are such. */
const MOST_ENTRIES = 2 ** 23 - 1;

/**
 * Values under keys, within a bound of bytes; what stays when there is no room for all, the eviction
 * says. The bound holds for everything: values, keys, entries, the table and what the eviction keeps.
 */
export class MemoryStore<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly table = new MapSize();
  private readonly makeEviction: EvictionFactory;
  private boundBytes: number;
  private eviction: Eviction;

  constructor(options: { boundBytes: number; eviction?: EvictionFactory }) {
    this.boundBytes = Math.min(options.boundBytes, MOST_BYTES);
    this.makeEviction = options.eviction ?? greedyDual;
    this.eviction = this.makeEviction(this.boundBytes);
    this.makeRoom();
  }

  get sizeBytes(): number {
    return this.eviction.sizeBytes + this.eviction.overheadBytes + this.table.sizeBytes;
  }

  get count(): number {
    return this.entries.size;
  }

  /** Counts as a use. The hot path of every hit: it allocates nothing. */
  get(key: string): T | null {
    const entry = this.entries.get(key);
    if (entry === undefined) return null;
    this.eviction.use(entry);
    return entry.value;
  }

  /** Does not count as a use. */
  peek(key: string): T | null {
    return this.entries.get(key)?.value ?? null;
  }

  /**
   * Keeps it under the key, in place of what was there.
   *
   * @param valueBytes what the value itself takes
   * @returns whether it is kept; if not, nothing is under the key any more
   */
  put(key: string, value: T, valueBytes: number): boolean {
    const known = this.entries.get(key);
    if (known !== undefined) {
      known.value = value;
      this.eviction.use(known);
      return this.resized(key, valueBytes);
    }
    if (this.entries.size >= MOST_ENTRIES) return false;
    const own = ownText(key);
    const entry = new Entry(own, value, sizeOf(own, valueBytes));
    const gone = this.eviction.add(entry);
    const kept = !gone.includes(entry);
    if (kept) {
      this.entries.set(own, entry);
      this.table.added();
    }
    this.evict(gone);
    this.makeRoom();
    return kept && this.entries.has(own);
  }

  /** The value under the key takes so much now. @returns whether it is still kept */
  resized(key: string, valueBytes: number): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined) return false;
    this.evict(this.eviction.resize(entry, sizeOf(key, valueBytes)));
    this.makeRoom();
    return this.entries.has(key);
  }

  delete(key: string): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined) return false;
    this.eviction.remove(entry);
    this.forget(key);
    return true;
  }

  /** Lets go at once of what has no room in it. */
  setBound(boundBytes: number): void {
    this.boundBytes = Math.min(boundBytes, MOST_BYTES);
    this.makeRoom();
  }

  clear(): void {
    this.entries.clear();
    this.table.cleared();
    this.eviction = this.makeEviction(this.boundBytes);
    this.makeRoom();
  }

  /**
   * The table takes of the bound too, in steps: it doubles, and shrinks only when most of its entries
   * are gone. So what is too much is taken in halves, until it is seen what the table becomes.
   */
  private makeRoom(): void {
    for (;;) {
      const excessBytes = this.sizeBytes - this.boundBytes;
      if (excessBytes <= 0 || this.entries.size === 0) break;
      this.evict(this.eviction.setBound(this.eviction.sizeBytes - Math.ceil(excessBytes / 2)));
    }
    const takenBytes = this.table.sizeBytes + this.eviction.overheadBytes;
    this.evict(this.eviction.setBound(Math.max(0, this.boundBytes - takenBytes)));
  }

  private evict(gone: Entry[]): void {
    // The one that comes is among them where it was not let in.
    for (const { key } of gone) if (this.entries.has(key)) this.forget(key);
  }

  private forget(key: string): void {
    this.entries.delete(key);
    this.table.removed();
  }
}

const sizeOf = (key: string, valueBytes: number): number =>
  ENTRY_BYTES + textMemoryBytes(key) + valueBytes;
