import { type Entry, EntryList } from './entry-list.ts';
import type { Eviction } from './eviction.ts';
import { FrequencySketch } from './frequency-sketch.ts';

/**
 * A small window for what is new; from there into the main part only what is asked for more often than
 * what would have to go for it. The main part keeps what was used there apart from what was not, so
 * that a scan passes through (W-TinyLFU; for entries of different size, all that would have to go are
 * weighed together: Einziger and others, Lightweight Robust Size Aware Cache Management, 2021).
 */

const WINDOW_SHARE = 0.01;
/** Of the main part. */
const PROTECTED_SHARE = 0.8;
/** For the sketch: smaller ones make it count coarser, not wrong. */
const TYPICAL_BYTES = 2_048;

export function wTinyLfu(boundBytes: number): Eviction {
  return new WTinyLfu(boundBytes);
}

class WTinyLfu implements Eviction {
  private boundBytes = 0;
  private windowBytes = 0;
  private protectedBytes = 0;
  private readonly window = new EntryList();
  /** Not used since they came from the window. */
  private readonly probation = new EntryList();
  private readonly kept = new EntryList();
  private readonly sketch: FrequencySketch;

  constructor(boundBytes: number) {
    this.divide(boundBytes);
    this.sketch = new FrequencySketch(boundBytes / TYPICAL_BYTES);
  }

  get overheadBytes(): number {
    return this.sketch.sizeBytes;
  }

  get sizeBytes(): number {
    return this.window.sizeBytes + this.mainBytes;
  }

  private get mainBytes(): number {
    return this.probation.sizeBytes + this.kept.sizeBytes;
  }

  add(entry: Entry): Entry[] {
    this.sketch.count(entry.hash);
    if (entry.sizeBytes > this.boundBytes) return [entry];
    const gone: Entry[] = [];
    this.window.append(entry);
    while (this.window.sizeBytes > this.windowBytes && this.window.first !== null) {
      const candidate = this.window.first;
      this.window.remove(candidate);
      this.admit(candidate, gone);
    }
    return gone;
  }

  use(entry: Entry): void {
    this.sketch.count(entry.hash);
    const { list } = entry;
    if (list === null) return;
    if (list !== this.probation) {
      list.moveToEnd(entry);
      return;
    }
    list.remove(entry);
    this.kept.append(entry);
    while (this.kept.sizeBytes > this.protectedBytes && this.kept.first !== entry) {
      const oldest = this.kept.first;
      if (oldest === null) break;
      this.kept.remove(oldest);
      this.probation.append(oldest);
    }
  }

  resize(entry: Entry, sizeBytes: number): Entry[] {
    entry.list?.resize(entry, sizeBytes);
    return this.shrink();
  }

  remove(entry: Entry): void {
    entry.list?.remove(entry);
  }

  setBound(boundBytes: number): Entry[] {
    this.divide(boundBytes);
    return this.shrink();
  }

  private divide(boundBytes: number): void {
    this.boundBytes = boundBytes;
    this.windowBytes = Math.floor(boundBytes * WINDOW_SHARE);
    this.protectedBytes = Math.floor((boundBytes - this.windowBytes) * PROTECTED_SHARE);
  }

  private shrink(): Entry[] {
    const gone: Entry[] = [];
    for (const list of [this.probation, this.kept, this.window]) {
      while (list.first !== null && this.sizeBytes > this.boundBytes) {
        gone.push(list.first);
        list.remove(list.first);
      }
    }
    return gone;
  }

  private admit(candidate: Entry, gone: Entry[]): void {
    const roomBytes = this.boundBytes - this.windowBytes;
    const victims = this.victimsFor(this.mainBytes + candidate.sizeBytes - roomBytes);
    const worth = this.sketch.estimate(candidate.hash);
    const cost = victims.reduce((sum, { hash }) => sum + this.sketch.estimate(hash), 0);
    if (victims.length > 0 && worth <= cost) {
      gone.push(candidate);
      return;
    }
    for (const victim of victims) {
      victim.list?.remove(victim);
      gone.push(victim);
    }
    this.probation.append(candidate);
  }

  /** Those that go first, so that so many bytes become free. */
  private victimsFor(neededBytes: number): Entry[] {
    const victims: Entry[] = [];
    let freedBytes = 0;
    for (const list of [this.probation, this.kept]) {
      for (
        let entry = list.first;
        entry !== null && freedBytes < neededBytes;
        entry = entry.behind
      ) {
        victims.push(entry);
        freedBytes += entry.sizeBytes;
      }
    }
    return victims;
  }
}
