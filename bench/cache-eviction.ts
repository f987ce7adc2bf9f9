import { parseArgs } from 'node:util';
import type { EvictionFactory } from '../src/edge/cache/eviction/eviction.ts';
import { greedyDual } from '../src/edge/cache/eviction/greedy-dual.ts';
import { fifo, lru } from '../src/edge/cache/eviction/in-order.ts';
import { lfu } from '../src/edge/cache/eviction/lfu.ts';
import { reportChurn } from './cache-eviction/churn-table.ts';
import { hitRatios } from './cache-eviction/hit-ratios.ts';
import { s3Fifo } from './cache-eviction/s3-fifo.ts';
import { makeTrace, type Trace, type TraceOptions, totalBytes } from './cache-eviction/traces.ts';
import { wTinyLfu } from './cache-eviction/w-tiny-lfu.ts';

/**
 * What stays in memory, and what it takes.
 *
 *     node bench/cache-eviction.ts            hit ratios of the default beside others, in a minute
 *     node bench/cache-eviction.ts --share 0.2    with room for a fifth instead of a twentieth
 *     node bench/cache-eviction.ts --churn    5 million responses through the store, and its memory
 */

const ALPHAS = [0.7, 0.8, 0.9, 1.0, 1.1];

const kinds: { name: string; options: Omit<TraceOptions, 'name' | 'alpha'> }[] = [
  { name: 'steady', options: {} },
  { name: 'with scans', options: { scanShare: 0.2 } },
  { name: 'drifting', options: { newEvery: 100 } },
  { name: 'drifting fast', options: { newEvery: 10 } },
];
/** At α 0.9 only. */
const more: TraceOptions[] = [
  { name: 'α 0.9 drifting faster', alpha: 0.9, newEvery: 3 },
  { name: 'α 0.9 shuffled 5 times', alpha: 0.9, shuffleEvery: 100_000 },
  { name: 'α 0.9 of one size', alpha: 0.9, sameSize: true },
  { name: 'α 0.9 of one size, scans', alpha: 0.9, sameSize: true, scanShare: 0.2 },
  { name: 'α 0.9 of one size, drifting', alpha: 0.9, sameSize: true, newEvery: 10 },
];

const { values } = parseArgs({
  options: {
    churn: { type: 'boolean', default: false },
    share: { type: 'string', default: '0.05' },
  },
});
if (values.churn) reportChurn(print);
else reportHitRatios(Number(values.share));

function reportHitRatios(share: number): void {
  const traces: TraceOptions[] = kinds.flatMap(({ name, options }) =>
    ALPHAS.map((alpha) => ({ name: `α ${alpha.toFixed(1)} ${name}`, alpha, ...options })),
  );
  const names = ['default', 'LRU', 'LFU', 'FIFO', 'W-TinyLFU', 'climbing', 'S3-FIFO'];
  print(
    `Hit ratio in percent, of requests / of bytes, with room for ${share * 100} % of all bytes`,
  );
  print(`| ${['trace'.padEnd(27), ...names.map((name) => name.padEnd(11))].join(' | ')} |`);
  print(`|${'-'.repeat(29)}|${names.map(() => '-'.repeat(13)).join('|')}|`);
  for (const options of [...traces, ...more]) {
    const trace = makeTrace(options);
    const cells = policiesFor(trace).map((policy) => cell(trace, share, policy));
    print(`| ${[options.name.padEnd(27), ...cells].join(' | ')} |`);
  }
}

function policiesFor({ sizesBytes }: Trace): EvictionFactory[] {
  const meanBytes = sizesBytes.reduce((sum, bytes) => sum + bytes, 0) / sizesBytes.length;
  return [
    greedyDual,
    lru,
    lfu,
    fifo,
    wTinyLfu({ climbing: false, meanBytes }),
    wTinyLfu({ climbing: true, meanBytes }),
    s3Fifo,
  ];
}

function cell(trace: Trace, share: number, policy: EvictionFactory): string {
  const { requests, bytes } = hitRatios(trace, totalBytes(trace) * share, policy);
  return `${percent(requests)} / ${percent(bytes)}`;
}

function percent(ratio: number): string {
  return (ratio * 100).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
