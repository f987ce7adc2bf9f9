import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Control } from '../src/control/control.ts';
import { createMemoryEdge } from '../src/edge/memory.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { bucketOf } from '../src/kernel/histogram.ts';
import { silentLog } from '../src/kernel/log.ts';
import { noOutcomes } from '../src/model/ledger.ts';
import { NO_SCALING, type ScalingPolicy } from '../src/model/scaling.ts';
import { poolId } from '../src/model/snapshot.ts';
import type { TargetTraffic } from '../src/model/target.ts';
import { createMemoryRuntime } from '../src/runtime/memory.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import { memoryImages } from '../test/support/memory-images.ts';
import { configuration, deployRequest, everyBundle } from '../test/support/simulated-control.ts';
import { held, type Row, report, row } from './report.ts';

/**
 * What it costs to keep and to measure ten thousand instances, every second: the real control plane
 * and store on the machine's own clock, over a runtime and an edge that are data. Every instance
 * answers some requests each second and uses CPU and memory, and a policy decides on their number. What
 * it takes to make these figures up is taken off. `node bench/metrics.ts [--seconds N] [--json]`.
 */

const INSTANCES = 10_000;
const MAX_CPU_PERCENT = 30;
const SETTLE_MS = 10_000;
/** How often it is told how it goes. */
const TELL_SECONDS = 10;
const KEY = 'shop/production';
/** In microseconds, of each instance in each second. */
const LATENCIES = [1_800, 2_100, 2_600, 3_000, 3_400, 5_200, 9_700, 21_000];

/** Decided on as often as ever; the bounds leave nothing to change. */
const trackCpu: ScalingPolicy = {
  kind: 'track',
  metric: 'cpu',
  source: null,
  target: 60,
  scaleIn: true,
};

const secondsAsked = process.argv.indexOf('--seconds');
const seconds = secondsAsked === -1 ? 60 : Number(process.argv[secondsAsked + 1]);

const home = mkdtempSync(join(tmpdir(), 'belay-bench-'));
const runtime = createMemoryRuntime({ clock: systemClock, behaviour: () => ({ bootMs: 0 }) });
const edge = createMemoryEdge({ now: () => systemClock.now() });
const control = new Control({
  store: openSqliteStore(join(home, 'belay.db')),
  runtime,
  edge,
  bundles: everyBundle,
  images: memoryImages(),
  clock: systemClock,
  log: silentLog,
  version: 'bench',
  home,
});
async function measure(): Promise<Row[]> {
  await control.start();
  await bringUp();
  const load = new Load();
  await pass(SETTLE_MS / 1_000, load);
  const fromMb = rssMb();
  const percents = await pass(seconds, load);
  const average = mean(percents);
  const busiest = Math.max(...percents);
  const name = `metrics: ${INSTANCES} instances`;
  return [
    held(row(`${name}, CPU of a core over ${seconds} s`, average, null, '%'), {
      of: 'ours',
      limit: 'at most',
      value: MAX_CPU_PERCENT,
    }),
    row(`${name}, the busiest second`, busiest, null, '%'),
    row(
      `${name}, seconds that were measured`,
      control.metrics.points(KEY, 1_000).length,
      null,
      's',
    ),
    row(`${name}, memory before`, fromMb, null, 'MB'),
    row(`${name}, memory after`, rssMb(), null, 'MB'),
  ];
}

async function bringUp(): Promise<void> {
  const capacity = { min: INSTANCES, desired: INSTANCES, max: INSTANCES };
  const request = deployRequest(`sha256:${'0'.repeat(64)}`, {
    web: { ...configuration.web, capacity, scaling: { ...NO_SCALING, policies: [trackCpu] } },
    rollout: { ...configuration.rollout, startTimeoutMs: 600_000 },
  });
  const manner = { by: null, message: null, force: false, otherwise: 'refuse' } as const;
  const where = { application: 'shop', environment: 'production' };
  await control.operations.ask(where, request, manner);
  for (;;) {
    await systemClock.sleep(1_000);
    const [deployment] = control.queries.deployments('shop', 'production', 1);
    if (deployment?.state === 'succeeded') return;
    if (deployment?.state !== 'running') throw new Error('the fleet did not come up');
  }
}

/** Lets seconds pass, and returns what each has cost, in per cent of a core. */
async function pass(count: number, load: Load): Promise<number[]> {
  const percents: number[] = [];
  for (let second = 0; second < count; second += 1) {
    load.pass();
    const before = process.cpuUsage();
    const begun = systemClock.monotonic();
    await systemClock.sleep(1_000);
    const { user, system } = process.cpuUsage(before);
    percents.push((user + system) / 10 / (systemClock.monotonic() - begun));
    if ((second + 1) % TELL_SECONDS === 0) {
      const latest = mean(percents.slice(-TELL_SECONDS)).toFixed(1);
      process.stderr.write(`${second + 1} s: ${latest} % of a core, ${rssMb().toFixed(0)} MB\n`);
    }
  }
  return percents;
}

/** What every instance has answered, a little more each second. */
class Load {
  readonly #pool = poolId(KEY, 1);
  readonly #targets = edge.snapshot?.pools.flatMap(({ targets }) => targets) ?? [];
  readonly #buckets = LATENCIES.map((us) => bucketOf(us));
  #seconds = 0;

  pass(): void {
    this.#seconds += 1;
    const requests = this.#seconds * LATENCIES.length;
    edge.setTraffic(
      this.#targets.map(({ id }, index): TargetTraffic => {
        const usage = { cpuPercent: (index + this.#seconds) % 100, rssBytes: 60e6 + index * 1_000 };
        runtime.setUsage(id, usage);
        const latency = this.#buckets.flatMap((bucket) => [bucket, this.#seconds]);
        return { pool: this.#pool, id, requests, appErrors: 0, failures: 0, latency };
      }),
    );
    const outcomes = { ...noOutcomes(), ok: requests * this.#targets.length };
    const counted = this.#seconds * this.#targets.length;
    const latency = this.#buckets.flatMap((bucket) => [bucket, counted]);
    const place = { pool: this.#pool, environment: KEY, release: 1, zone: 'a' };
    const row = { ...place, outcomes, answers: {}, retried: 0, drained: 0, latency };
    edge.setLedger({ rows: [row], unaccounted: 0, inFlight: 0, tunnels: 0 });
  }
}

const mean = (values: readonly number[]): number =>
  values.reduce((total, each) => total + each, 0) / values.length;

function rssMb(): number {
  return process.memoryUsage.rss() / 1024 / 1024;
}

try {
  report(await measure());
} finally {
  await control.close();
  rmSync(home, { recursive: true, force: true });
}
