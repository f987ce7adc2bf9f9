import { type Entry, EntryList } from '../../src/edge/cache/eviction/entry-list.ts';
import type { Eviction, EvictionFactory } from '../../src/edge/cache/eviction/eviction.ts';
import { FrequencySketch } from './frequency-sketch.ts';

/**
 * W-TinyLFU as Caffeine has it (Einziger, Friedman and Manes, 2017), to compare with. A window for
 * what is new; from there into the main part comes only what is asked for more often than all that
 * would have to go for it. Without `climbing` the window stays at a hundredth; with it, it grows and
 * shrinks as the hit ratio rises.
 */
export function wTinyLfu(options: { climbing: boolean; meanBytes: number }): EvictionFactory {
  return (boundBytes) => new WTinyLfu(boundBytes, options);
}

/** All as in Caffeine. */
const LEAST_WINDOW_SHARE = 0.01;
const MOST_WINDOW_SHARE = 0.8;
const PROTECTED_SHARE = 0.8;
const STEP_SHARE = 0.0625;
const STEP_DECAY = 0.98;
const RESTART_AT = 0.05;
const SAMPLES_PER_ENTRY = 10;

class WTinyLfu implements Eviction {
  private boundBytes: number;
  private windowShare = LEAST_WINDOW_SHARE;
  private readonly window = new EntryList();
  /** Not used since they came from the window. */
  private readonly probation = new EntryList();
  private readonly kept = new EntryList();
  private readonly sketch: FrequencySketch;
  private readonly climber: Climber | null;

  constructor(boundBytes: number, options: { climbing: boolean; meanBytes: number }) {
    const entries = boundBytes / options.meanBytes;
    this.boundBytes = boundBytes;
    this.sketch = new FrequencySketch(entries);
    this.climber = options.climbing ? new Climber(SAMPLES_PER_ENTRY * entries) : null;
  }

  get sizeBytes(): number {
    return this.window.sizeBytes + this.mainBytes;
  }

  get overheadBytes(): number {
    return this.sketch.sizeBytes;
  }

  private get mainBytes(): number {
    return this.probation.sizeBytes + this.kept.sizeBytes;
  }

  add(entry: Entry): Entry[] {
    this.sketch.count(entry.hash);
    this.climb(false);
    if (entry.sizeBytes > this.boundBytes) return [entry];
    this.window.append(entry);
    return this.makeRoom();
  }

  use(entry: Entry): void {
    this.sketch.count(entry.hash);
    this.climb(true);
    if (entry.list !== this.probation) {
      entry.list?.moveToEnd(entry);
      return;
    }
    this.probation.remove(entry);
    this.kept.append(entry);
    this.demote();
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

  private climb(hit: boolean): void {
    if (this.climber === null || !this.climber.count(hit)) return;
    const share = this.windowShare + this.climber.step();
    this.windowShare = Math.max(LEAST_WINDOW_SHARE, Math.min(MOST_WINDOW_SHARE, share));
    this.demote();
  }

  private demote(): void {
    const mostBytes = this.boundBytes * (1 - this.windowShare) * PROTECTED_SHARE;
    while (this.kept.sizeBytes > mostBytes && this.kept.first !== null) {
      const oldest = this.kept.first;
      this.kept.remove(oldest);
      this.probation.append(oldest);
    }
  }

  private makeRoom(): Entry[] {
    const gone: Entry[] = [];
    const windowBytes = this.boundBytes * this.windowShare;
    while (this.window.sizeBytes > windowBytes && this.window.first !== null) {
      const candidate = this.window.first;
      this.window.remove(candidate);
      this.admit(candidate, this.boundBytes - windowBytes, gone);
    }
    for (const list of [this.probation, this.kept, this.window]) {
      while (list.first !== null && this.sizeBytes > this.boundBytes) {
        gone.push(list.first);
        list.remove(list.first);
      }
    }
    return gone;
  }

  private admit(candidate: Entry, roomBytes: number, gone: Entry[]): void {
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
      let entry = list.first;
      for (; entry !== null && freedBytes < neededBytes; entry = entry.behind) {
        victims.push(entry);
        freedBytes += entry.sizeBytes;
      }
    }
    return victims;
  }
}

/** Goes on in its direction while the hit ratio rises, and turns round when it falls. */
class Climber {
  private readonly sampleSize: number;
  private hits = 0;
  private uses = 0;
  private ratio = 0;
  private stepShare = STEP_SHARE;

  constructor(sampleSize: number) {
    this.sampleSize = sampleSize;
  }

  /** @returns whether it is time for a step */
  count(hit: boolean): boolean {
    this.uses += 1;
    if (hit) this.hits += 1;
    return this.uses >= this.sampleSize;
  }

  step(): number {
    const ratio = this.hits / this.uses;
    const change = ratio - this.ratio;
    const step = change >= 0 ? this.stepShare : -this.stepShare;
    this.stepShare =
      Math.abs(change) >= RESTART_AT ? STEP_SHARE * Math.sign(step) : STEP_DECAY * step;
    this.ratio = ratio;
    this.hits = 0;
    this.uses = 0;
    return step;
  }
}
