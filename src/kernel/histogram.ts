/**
 * A log-linear histogram of non-negative integers: 128 buckets to each power of two, so a value is
 * known to better than 1 %. Buckets only grow, so two readings of one histogram subtract and the
 * histograms of two processes add. Values are whatever unit the caller counts in; we use
 * microseconds.
 *
 * Where there are many of them, one may keep fewer buckets. It is read like any other: each of its
 * buckets is told as the one of the finer ones that lies in its middle.
 */

/** Powers of two of buckets to each power of two: better than 1 %, and 30 KB. */
const FINE_BITS = 7;
/** Within 6 %, and 2 KB. */
export const COARSE_BITS = 3;
/** Values from here on share the last bucket: 2^36 µs is 19 hours. */
const MAX_EXPONENT = 36;

/** `[bucket, count, bucket, count, …]` for the buckets that are not empty, in their order. */
export type SparseHistogram = number[];

export interface Histogram {
  record(value: number): void;
  add(other: SparseHistogram): void;
  toSparse(): SparseHistogram;
}

export function bucketOf(value: number, bits = FINE_BITS): number {
  const subBuckets = 1 << bits;
  if (value < subBuckets) return value < 0 ? 0 : value | 0;
  if (value < 0x1_0000_0000) {
    // An hour and a bit, in microseconds: nearly every value, and every request counts two.
    const shift = 31 - Math.clz32(value) - bits;
    return shift * subBuckets + (value >>> shift);
  }
  const exponent = Math.floor(Math.log2(value));
  if (exponent >= MAX_EXPONENT) return bucketCount(bits) - 1;
  const shift = exponent - bits;
  return shift * subBuckets + Math.floor(value / 2 ** shift);
}

/** The middle of a bucket: what its values are taken to be. */
export function middleOf(bucket: number): number {
  const { lowest, width } = extentOf(bucket, FINE_BITS);
  return bucket < 1 << FINE_BITS ? lowest : lowest + width / 2;
}

/** @param bits COARSE_BITS where there are many */
export function histogram(bits = FINE_BITS): Histogram {
  const counts = new Float64Array(bucketCount(bits));
  return {
    record(value) {
      const bucket = bucketOf(value, bits);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    },
    add(other) {
      for (let i = 0; i + 1 < other.length; i += 2) {
        const bucket = bucketOf(middleOf(other[i] ?? 0), bits);
        counts[bucket] = (counts[bucket] ?? 0) + (other[i + 1] ?? 0);
      }
    },
    toSparse() {
      const sparse: SparseHistogram = [];
      for (let bucket = 0; bucket < counts.length; bucket += 1) {
        const count = counts[bucket] ?? 0;
        if (count > 0) sparse.push(bucketOf(nearMiddleOf(bucket, bits)), count);
      }
      return sparse;
    },
  };
}

const bucketCount = (bits: number): number => (MAX_EXPONENT - bits + 1) << bits;

function extentOf(bucket: number, bits: number): { lowest: number; width: number } {
  const subBuckets = 1 << bits;
  if (bucket < subBuckets) return { lowest: bucket, width: 1 };
  const width = 2 ** (Math.floor(bucket / subBuckets) - 1);
  return { lowest: (subBuckets + (bucket % subBuckets)) * width, width };
}

/** Just below the middle, where a value is at most as far from it, in parts of itself, as any other. */
function nearMiddleOf(bucket: number, bits: number): number {
  const { lowest, width } = extentOf(bucket, bits);
  return lowest + Math.ceil(width / 2) - 1;
}

/** `later − earlier`, bucket by bucket. */
export function subtract(later: SparseHistogram, earlier: SparseHistogram): SparseHistogram {
  return combine(later, earlier, -1);
}

export function sum(a: SparseHistogram, b: SparseHistogram): SparseHistogram {
  return combine(a, b, 1);
}

/** How many of the recorded values lie above one, to the precision of the buckets. */
export function countAbove(sparse: SparseHistogram, value: number): number {
  let count = 0;
  for (let i = 0; i + 1 < sparse.length; i += 2) {
    if (middleOf(sparse[i] ?? 0) > value) count += sparse[i + 1] ?? 0;
  }
  return count;
}

/** The value below which `share` (0..1) of the recorded values lie, or null when there are none. */
export function quantile(sparse: SparseHistogram, share: number): number | null {
  let total = 0;
  for (let i = 1; i < sparse.length; i += 2) total += sparse[i] ?? 0;
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  for (let i = 0; i + 1 < sparse.length; i += 2) {
    seen += sparse[i + 1] ?? 0;
    if (seen >= rank) return middleOf(sparse[i] ?? 0);
  }
  return null;
}

/**
 * Of the values that were recorded between two readings of one histogram, the one below which each
 * share of them lies, as `quantile` would tell of their difference; null when there are none.
 */
export function quantilesBetween(
  earlier: SparseHistogram,
  later: SparseHistogram,
  shares: readonly number[],
): (number | null)[] {
  const buckets: number[] = [];
  const below: number[] = [];
  let total = 0;
  let at = 0;
  for (let i = 0; i + 1 < later.length; i += 2) {
    const bucket = later[i] ?? 0;
    while (at < earlier.length && (earlier[at] ?? 0) < bucket) at += 2;
    const before = earlier[at] === bucket ? (earlier[at + 1] ?? 0) : 0;
    const count = (later[i + 1] ?? 0) - before;
    if (count <= 0) continue;
    total += count;
    buckets.push(bucket);
    below.push(total);
  }
  return shares.map((share) => {
    if (total === 0) return null;
    const rank = Math.max(1, Math.ceil(share * total));
    return middleOf(buckets[below.findIndex((count) => count >= rank)] ?? 0);
  });
}

/** In one pass over both, which are in the order of their buckets; what comes to nothing is left out. */
function combine(a: SparseHistogram, b: SparseHistogram, sign: 1 | -1): SparseHistogram {
  const combined: SparseHistogram = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const bucket = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    let count = 0;
    if (a[i] === bucket) {
      count += a[i + 1] ?? 0;
      i += 2;
    }
    if (b[j] === bucket) {
      count += sign * (b[j + 1] ?? 0);
      j += 2;
    }
    if (count > 0) combined.push(bucket, count);
  }
  return combined;
}
