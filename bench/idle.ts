import { readFileSync } from 'node:fs';
import { systemClock } from '../src/kernel/clock.ts';
import type { DaemonView } from '../src/model/view.ts';
import { appFiles } from './app.ts';
import { ownCpuTimeUs } from './edge/processes.ts';
import { openHouse } from './house.ts';
import { type Row, report, row } from './report.ts';

/**
 * What the processes of Belay cost while nothing happens, with three instances running: memory, and
 * CPU over ten seconds, after a first and after a second start. `node bench/idle.ts [--json]`.
 */

const WINDOW_MS = 10_000;
/** What follows a start is no rest: caches are written, garbage is collected. */
const SETTLE_MS = 5_000;
/** The daemon's bounds; the edge has none yet. */
const MAX_RSS_MB = 90;
const MAX_CPU_PERCENT = 1;

const house = openHouse();
try {
  await house.belay('up', house.folder('idle', appFiles('idle', 3)));
  const rows = await measure('first start');
  await house.belay('daemon', 'restart');
  rows.push(...(await measure('second start')));
  report(rows);
} finally {
  await house.close();
}

async function measure(when: string): Promise<Row[]> {
  await systemClock.sleep(SETTLE_MS);
  const { pid, edge } = (await house.belay('daemon', 'status')) as DaemonView;
  const processes = [
    { name: 'daemon', pid, bounds: { rssMb: MAX_RSS_MB, cpuPercent: MAX_CPU_PERCENT } },
    { name: 'edge supervisor', pid: edge?.pid ?? 0, bounds: null },
    { name: 'edge worker', pid: edge?.workers[0]?.pid ?? 0, bounds: null },
  ];
  const before = processes.map((each) => ownCpuTimeUs(each.pid));
  await systemClock.sleep(WINDOW_MS);
  return processes.flatMap(({ name, pid: measured, bounds }, index) => {
    const usedUs = ownCpuTimeUs(measured) - (before[index] ?? 0);
    const percent = (usedUs / 1000 / WINDOW_MS) * 100;
    return [
      row(`idle: ${name}'s memory, ${when}`, rssMb(measured), bounds?.rssMb ?? null, 'MB'),
      row(`idle: ${name}'s CPU, ${when}`, percent, bounds?.cpuPercent ?? null, '%'),
    ];
  });
}

function rssMb(pid: number): number {
  const [, kilobytes] =
    /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kilobytes) / 1024;
}
