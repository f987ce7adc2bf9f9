import { Entry } from '../../src/edge/cache/eviction/entry-list.ts';
import type { EvictionFactory } from '../../src/edge/cache/eviction/eviction.ts';
import type { Trace } from './traces.ts';

/** Of all requests, and of all bytes that were asked for, what was there. */
export interface HitRatios {
  requests: number;
  bytes: number;
}

/** What comes first fills the room and does not count. */
const WARM_SHARE = 0.2;

export function hitRatios(
  trace: Trace,
  boundBytes: number,
  makeEviction: EvictionFactory,
): HitRatios {
  const eviction = makeEviction(boundBytes);
  const kept = new Map<number, Entry<number>>();
  const { requests, sizesBytes } = trace;
  const from = requests.length * WARM_SHARE;
  let hits = 0;
  let hitBytes = 0;
  let allBytes = 0;
  for (const [at, response] of requests.entries()) {
    const sizeBytes = sizesBytes[response] ?? 0;
    if (at >= from) allBytes += sizeBytes;
    const entry = kept.get(response);
    if (entry === undefined) {
      const added = new Entry(`https://www.example.com/${response}`, response, sizeBytes);
      kept.set(response, added);
      for (const gone of eviction.add(added)) kept.delete(Number(gone.value));
      continue;
    }
    eviction.use(entry);
    if (at < from) continue;
    hits += 1;
    hitBytes += sizeBytes;
  }
  if (eviction.sizeBytes > boundBytes) throw new Error('More is kept than the bound allows.');
  return { requests: hits / (requests.length - from), bytes: hitBytes / allBytes };
}
