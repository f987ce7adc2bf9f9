/**
 * How often keys were asked for lately, without keeping the keys: four counters of four bits for each,
 * of which the least is the estimate; all are halved now and then, so that the past fades
 * (Einziger, Friedman and Manes, TinyLFU, 2017).
 */
export class FrequencySketch {
  private readonly counters: Uint8Array;
  private readonly mask: number;
  private readonly halveAfter: number;
  private counted = 0;

  /** @param keys how many it should tell apart */
  constructor(keys: number) {
    const width = 2 ** Math.ceil(Math.log2(Math.max(1_024, keys)));
    this.counters = new Uint8Array(width * ROWS);
    this.mask = width - 1;
    this.halveAfter = width * SAMPLE_PER_KEY;
  }

  get sizeBytes(): number {
    return this.counters.byteLength;
  }

  count(hash: number): void {
    let grew = false;
    for (let row = 0; row < ROWS; row += 1) {
      const index = this.indexOf(hash, row);
      const value = this.counters[index] ?? 0;
      if (value < MOST) {
        this.counters[index] = value + 1;
        grew = true;
      }
    }
    if (!grew) return;
    this.counted += 1;
    if (this.counted >= this.halveAfter) this.halve();
  }

  estimate(hash: number): number {
    let least = MOST;
    for (let row = 0; row < ROWS; row += 1) {
      least = Math.min(least, this.counters[this.indexOf(hash, row)] ?? 0);
    }
    return least;
  }

  private indexOf(hash: number, row: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 15), SEEDS[row] ?? 1);
    return ((mixed ^ (mixed >>> 13)) & this.mask) + row * (this.mask + 1);
  }

  private halve(): void {
    for (let i = 0; i < this.counters.length; i += 1) {
      this.counters[i] = (this.counters[i] ?? 0) >>> 1;
    }
    this.counted >>>= 1;
  }
}

const ROWS = 4;
const MOST = 15;
/** Ten uses for each key it tells apart are what it remembers, as in the paper. */
const SAMPLE_PER_KEY = 10;
const SEEDS = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f];
