import { startKeepingBelay } from './cache/keeping-belay.ts';
import { checkKept } from './cache/kept-check.ts';
import { disk } from './cache/measures/disk.ts';
import { hitMeasures } from './cache/measures/hits.ts';
import { memory } from './cache/measures/memory.ts';
import { missMeasures } from './cache/measures/misses.ts';
import { startCountingOrigin } from './cache/origin.ts';
import { peers } from './cache/peers.ts';
import { compare } from './edge/comparison.ts';

/**
 * What the edge has kept beside the caches of its peers, in one run and in turn, as ratios:
 * `npm run bench:cache [-- OPTIONS]`. docs/performance.md says what each measure is; `--help` says the
 * options.
 */
await compare({
  command: 'bench:cache',
  title: 'cache',
  // The origin, which counts.
  needs: ['nginx'],
  measures: [...hitMeasures, disk, memory, ...missMeasures],
  peers,
  shortPeers: ['nginx'],
  startOrigin: startCountingOrigin,
  startOurs: startKeepingBelay,
  check: checkKept,
});
