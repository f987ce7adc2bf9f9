/** Requests as a cache sees them, the same every time: which response, and how large each is. */
export interface Trace {
  name: string;
  /** Numbers of responses, in the order they are asked for. */
  requests: Int32Array;
  /** Of each response by its number. */
  sizesBytes: Int32Array;
}

export interface TraceOptions {
  name: string;
  /** The response of rank r is asked for as often as 1 / r^alpha. */
  alpha: number;
  /** Between two responses that are new and take the place of popular ones; null: none are. */
  newEvery?: number;
  /** All change places at once, after so many. */
  shuffleEvery?: number;
  /** Of all requests, those of crawlers that ask for everything once, in runs of 10,000. */
  scanShare?: number;
  /** All as large as their mean. */
  sameSize?: boolean;
}

const RESPONSES = 100_000;
const REQUESTS = 500_000;
const SEED = 20_261_121;
const SCAN_RUN = 10_000;
/** Log-normal, from an API's answer to a picture; what CDNs publish of theirs is as wide. */
const MEDIAN_BYTES = 4_096;
const SIZE_SIGMA = 1.5;
const LEAST_BYTES = 200;
const MOST_BYTES = 1024 * 1024;

/** Of the popular ones all together: what a bound is a share of. */
export const totalBytes = (trace: Trace): number =>
  trace.sizesBytes.subarray(0, RESPONSES).reduce((sum, bytes) => sum + bytes, 0);

export function makeTrace(options: TraceOptions): Trace {
  const random = randomFrom(SEED);
  const nextRank = zipf(options.alpha, random);
  const byRank = Int32Array.from({ length: RESPONSES }, (_, rank) => rank);
  const requests = new Int32Array(REQUESTS);
  let responses = RESPONSES;
  let scanLeft = 0;
  // Half of what comes while a crawler is there is its own.
  const scanShare = options.scanShare ?? 0;
  const scanStarts = scanShare / (1 - 2 * scanShare) / SCAN_RUN;
  for (let i = 0; i < REQUESTS; i += 1) {
    if (options.newEvery !== undefined && i % options.newEvery === 0) {
      byRank[nextRank()] = responses;
      responses += 1;
    }
    if (options.shuffleEvery !== undefined && i % options.shuffleEvery === 0) {
      shuffle(byRank, random);
    }
    if (scanLeft === 0 && random() < scanStarts) scanLeft = SCAN_RUN;
    if (scanLeft > 0 && random() < 0.5) {
      requests[i] = responses;
      responses += 1;
      scanLeft -= 1;
    } else {
      requests[i] = byRank[nextRank()] ?? 0;
    }
  }
  return { name: options.name, requests, sizesBytes: sizes(responses, options, random) };
}

/** mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ranks from 0, by where a random number falls in the sums of what each is asked for. */
function zipf(alpha: number, random: () => number): () => number {
  const sums = new Float64Array(RESPONSES);
  let sum = 0;
  for (let rank = 0; rank < RESPONSES; rank += 1) {
    sum += 1 / (rank + 1) ** alpha;
    sums[rank] = sum;
  }
  return () => {
    const at = random() * sum;
    let low = 0;
    let high = RESPONSES - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function shuffle(items: Int32Array, random: () => number): void {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const other = Math.floor(random() * (i + 1));
    const item = items[i] ?? 0;
    items[i] = items[other] ?? 0;
    items[other] = item;
  }
}

function sizes(count: number, options: TraceOptions, random: () => number): Int32Array {
  return Int32Array.from({ length: count }, () => {
    if (options.sameSize === true) return MEDIAN_BYTES;
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const bytes = Math.round(MEDIAN_BYTES * Math.exp(SIZE_SIGMA * normal));
    return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, bytes));
  });
}
