import { type Entry, EntryList } from './entry-list.ts';
import type { Eviction } from './eviction.ts';
import { FormerUses } from './former-uses.ts';

/**
 * Greedy-Dual-Size-Frequency, in queues (Cherkasova, 1998; CAMP: Ghandeharizadeh and others, 2014).
 *
 * An entry is worth its uses by its size. Whatever was worth least goes, and the level rises by what
 * it was worth: an entry has to be used again before the level has risen by its own worth. So an entry
 * that is used no more goes, however often it was used, and sooner where much else comes in; what
 * comes for the first time has a small worth, and a scan passes through.
 *
 * Worth is rounded to powers of two, with a list for each. Within a list all are worth the same, so
 * the one in front, not used for longest, is the one to go: the least of all is the least of some
 * thirty. Why this one and not W-TinyLFU: docs/adr/0022-what-stays-in-memory.md.
 */

/** What is new has shown nothing yet: a fourth of a use. */
const FIRST_USE = 0.25;
/** More uses than these add nothing, so that what was popular can be overtaken. */
const MOST_USES = 8;
/** 1 would serve requests best, 0 bytes. */
const SIZE_EXPONENT = 0.7;

/** Worth of an entry of 64 GiB that is new is 1: smaller ones have lists above the first. */
const LISTS = 28;
const LEAST_WORTH = Math.log2(FIRST_USE) - SIZE_EXPONENT * 36;

/** 2 to the power of this, for each number of uses. */
const USE_EXPONENTS = Array.from({ length: MOST_USES + 1 }, (_, uses) =>
  Math.log2(uses <= 1 ? FIRST_USE : uses),
);

export function greedyDual(boundBytes: number): Eviction {
  return new GreedyDual(boundBytes);
}

class GreedyDual implements Eviction {
  sizeBytes = 0;
  private boundBytes: number;
  private count = 0;
  /** Goes round at 2^32, in which differences stay right; no worth comes near that. */
  private level = 0;
  /** By the exponent of what each entry in it is worth; in the order of their `since`. */
  private readonly lists = Array.from({ length: LISTS }, () => new EntryList());
  private readonly formerUses = new FormerUses();

  constructor(boundBytes: number) {
    this.boundBytes = boundBytes;
  }

  get overheadBytes(): number {
    return this.formerUses.sizeBytes;
  }

  add(entry: Entry): Entry[] {
    if (entry.sizeBytes > this.boundBytes) return [entry];
    entry.uses = Math.min(MOST_USES, this.formerUses.of(entry.hash) + 1);
    this.insert(entry);
    this.formerUses.hold(this.count);
    return this.makeRoom();
  }

  /** While nothing goes the level stays, and an entry that is used often is not even moved. */
  use(entry: Entry): void {
    if (entry.uses < MOST_USES) {
      this.remove(entry);
      entry.uses += 1;
      this.insert(entry);
    } else if (entry.since !== this.level) {
      entry.since = this.level;
      entry.list?.moveToEnd(entry);
    }
  }

  resize(entry: Entry, sizeBytes: number): Entry[] {
    this.remove(entry);
    entry.sizeBytes = sizeBytes;
    this.insert(entry);
    return this.makeRoom();
  }

  remove(entry: Entry): void {
    entry.list?.remove(entry);
    this.sizeBytes -= entry.sizeBytes;
    this.count -= 1;
  }

  setBound(boundBytes: number): Entry[] {
    this.boundBytes = boundBytes;
    return this.makeRoom();
  }

  private insert(entry: Entry): void {
    const ofUses = USE_EXPONENTS[entry.uses] ?? 0;
    const worth = ofUses - SIZE_EXPONENT * Math.log2(Math.max(1, entry.sizeBytes));
    const list = this.lists[Math.max(0, Math.min(LISTS - 1, Math.round(worth - LEAST_WORTH)))];
    entry.since = this.level;
    list?.append(entry);
    this.sizeBytes += entry.sizeBytes;
    this.count += 1;
  }

  private makeRoom(): Entry[] {
    const gone: Entry[] = [];
    while (this.sizeBytes > this.boundBytes) {
      const least = this.letLeastGo();
      if (least === null) break;
      gone.push(least);
    }
    return gone;
  }

  private letLeastGo(): Entry | null {
    let least: Entry | null = null;
    let leastRise = Number.POSITIVE_INFINITY;
    for (let exponent = 0; exponent < LISTS; exponent += 1) {
      const first = this.lists[exponent]?.first ?? null;
      if (first === null) continue;
      const rise = 2 ** exponent - ((this.level - first.since) | 0);
      if (rise >= leastRise) continue;
      least = first;
      leastRise = rise;
    }
    if (least === null) return null;
    this.level = (this.level + leastRise) | 0;
    this.remove(least);
    this.formerUses.remember(least.hash, least.uses);
    return least;
  }
}
