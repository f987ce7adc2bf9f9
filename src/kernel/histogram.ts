/**
 * A log-linear histogram of non-negative integers: 128 buckets to each power of two, so a value is
 * known to better than 1 %. Buckets only grow, so two readings of one histogram subtract and the
 * histograms of two processes add. Values are whatever unit the caller counts in; we use
 * microseconds.
 */

const SUB_BITS = 7;
const SUB_BUCKETS = 1 << SUB_BITS;
/** Values from here on share the last bucket: 2^36 µs is 19 hours. */
const MAX_EXPONENT = 36;
const BUCKETS = (MAX_EXPONENT - SUB_BITS + 1) * SUB_BUCKETS;

/** `[bucket, count, bucket, count, …]` for the buckets that are not empty. */
export type SparseHistogram = number[];

export interface Histogram {
  record(value: number): void;
  add(other: SparseHistogram): void;
  toSparse(): SparseHistogram;
}

export function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value < 0 ? 0 : value | 0;
  const exponent = value >= 0x1_0000_0000 ? Math.floor(Math.log2(value)) : 31 - Math.clz32(value);
  if (exponent >= MAX_EXPONENT) return BUCKETS - 1;
  const shift = exponent - SUB_BITS;
  return (shift + 1) * SUB_BUCKETS + (Math.floor(value / 2 ** shift) - SUB_BUCKETS);
}

/** The middle of a bucket: what its values are taken to be. */
export function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1;
  const lowest = (SUB_BUCKETS + (bucket % SUB_BUCKETS)) * 2 ** shift;
  return lowest + 2 ** shift / 2;
}

export function histogram(): Histogram {
  const counts = new Float64Array(BUCKETS);
  return {
    record(value) {
      const bucket = bucketOf(value);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    },
    add(other) {
      for (let i = 0; i + 1 < other.length; i += 2) {
        const bucket = other[i] ?? 0;
        counts[bucket] = (counts[bucket] ?? 0) + (other[i + 1] ?? 0);
      }
    },
    toSparse() {
      const sparse: SparseHistogram = [];
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
        const count = counts[bucket] ?? 0;
        if (count > 0) sparse.push(bucket, count);
      }
      return sparse;
    },
  };
}

/** `later − earlier`, bucket by bucket. */
export function subtract(later: SparseHistogram, earlier: SparseHistogram): SparseHistogram {
  return combine(later, earlier, -1);
}

export function sum(a: SparseHistogram, b: SparseHistogram): SparseHistogram {
  return combine(a, b, 1);
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

function combine(a: SparseHistogram, b: SparseHistogram, sign: 1 | -1): SparseHistogram {
  const counts = new Map<number, number>();
  for (let i = 0; i + 1 < a.length; i += 2) counts.set(a[i] ?? 0, a[i + 1] ?? 0);
  for (let i = 0; i + 1 < b.length; i += 2) {
    const bucket = b[i] ?? 0;
    counts.set(bucket, (counts.get(bucket) ?? 0) + sign * (b[i + 1] ?? 0));
  }
  return [...counts]
    .filter(([, count]) => count > 0)
    .sort(([x], [y]) => x - y)
    .flat();
}
