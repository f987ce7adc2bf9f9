import type { HealthEntry } from '../src/edge/link.ts';
import { createEdgeWorker } from '../src/edge/worker/edge-worker.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { encodeLine, lineDecoder } from '../src/kernel/json-lines.ts';
import { type Snapshot, snapshotSchema } from '../src/model/snapshot.ts';
import { type Row, report, row } from './report.ts';

/**
 * What a worker does while a snapshot of 1,000 targets takes the place of another: for so long, no
 * request moves. In CPU time, because what else the machine does in between is not our work; the mean,
 * because the kernel counts it in steps longer than a swap.
 * `node bench/snapshot.ts [--json]`.
 */

const TARGETS = 1_000;
const POOLS = 10;
const ROUNDS = 201;
const BOUND_MS = 5;
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const sticky = { stickyMs: 3_600_000 };
const cases: { name: string; next: (number: number) => Snapshot }[] = [
  { name: 'the same again', next: (number) => snapshotOf(number) },
  { name: 'a tenth replaced', next: (number) => snapshotOf(number, TARGETS / 10) },
  { name: 'all replaced', next: (number) => snapshotOf(number, TARGETS) },
  { name: 'all replaced, sticky', next: (number) => snapshotOf(number, TARGETS, sticky) },
];

const rows: Row[] = [];
for (const { name, next } of cases) {
  const { swapMs, wholeMs } = await measure(next);
  rows.push(
    row(`snapshot: ${TARGETS} targets, ${name}, next to the bound`, swapMs, BOUND_MS, 'ms'),
  );
  rows.push(row(`snapshot: the same, with reading what the supervisor says`, wholeMs, null, 'ms'));
}
report(rows);

async function measure(next: (number: number) => Snapshot) {
  const worker = createEdgeWorker({
    clock: systemClock,
    onCeiling: () => {},
    onDrained: () => {},
  });
  const decode = lineDecoder(MAX_LINE_BYTES);
  let swapMs = 0;
  let wholeMs = 0;
  for (let number = 1; number <= ROUNDS; number += 1) {
    const line = encodeLine({ kind: 'snapshot', snapshot: next(number) });
    const begun = process.threadCpuUsage();
    const [message] = decode(Buffer.from(line)) as { snapshot: Snapshot }[];
    if (message === undefined) throw new Error('a snapshot that is no line');
    const read = process.threadCpuUsage();
    worker.apply(message.snapshot);
    swapMs += milliseconds(process.threadCpuUsage(read)) / ROUNDS;
    wholeMs += milliseconds(process.threadCpuUsage(begun)) / ROUNDS;
    worker.updateHealth(healthOf(message.snapshot));
    // What is gone is forgotten when it has been reported.
    worker.report(null, 'changes');
  }
  await worker.close();
  return { swapMs, wholeMs };
}

/** @param replaced so many have another name in every snapshot */
function snapshotOf(number: number, replaced = 0, rule = {}): Snapshot {
  const pools = Array.from({ length: POOLS }, (_, at) => ({
    id: `shop/e${at}#1`,
    environment: `shop/e${at}`,
    release: 1,
    health: {
      path: '/',
      matcher: { from: 200, to: 299 },
      intervalMs: 1_000,
      timeoutMs: 500,
      healthyThreshold: 1,
      unhealthyThreshold: 2,
    },
    targets: Array.from({ length: TARGETS / POOLS }, (_, i) => {
      const index = at * (TARGETS / POOLS) + i;
      const life = index < replaced ? number : 0;
      return {
        id: `i-${index}-${life}`,
        host: '127.0.0.1',
        port: 10_000 + index,
        zone: 'abc'[i % 3] ?? null,
        state: 'active' as const,
        drainUntil: null,
      };
    }),
  }));
  const rules = pools.map(({ id, environment }, at) => ({
    hosts: [`e${at}.localhost`],
    environment,
    forward: [{ pool: id, weight: 1 }],
    ...rule,
  }));
  return snapshotSchema.parse({ number, cookieKey: 'ab'.repeat(32), rules, pools });
}

function healthOf({ pools }: Snapshot): HealthEntry[] {
  return pools.flatMap(({ id, targets }) =>
    targets.map((target) => ({ pool: id, target: target.id, health: 'healthy', admitted: true })),
  );
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}
