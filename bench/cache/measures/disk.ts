import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBelay } from '../../edge/belay.ts';
import type { Contender } from '../../edge/contender.ts';
import { wrk } from '../../edge/load.ts';
import {
  type Bench,
  inTurn,
  type Measure,
  ratioAtLeast,
  ratioAtMost,
  rowsBeside,
} from '../../edge/measure.ts';
import { cpuTimeUs } from '../../edge/processes.ts';
import type { Row } from '../../report.ts';
import { keeping } from '../keeping-belay.ts';
import { warm } from '../kept-check.ts';
import { KEPT_BYTES, ofKept } from '../origin.ts';

/** In no cache of a processor, all together. */
const FILES = 32;
const PATHS = Array.from({ length: FILES }, (_, index) => `/megabyte?${index}`);
/** The least there is: none of them is held in memory. */
const settings = { cacheMemoryBytes: 1024 * 1024 };
/** Whose bodies are in files; the others keep them in memory. */
const BESIDE = 'nginx';

/** Answers of a megabyte from files, all of which the page cache has. */
export const disk: Measure = {
  name: 'disk',
  needs: ['wrk'],
  async run(bench): Promise<Row[]> {
    const ours = await startBelay(bench.folder, bench.origin.port, { ...keeping, settings });
    try {
      return await compare(ours, bench);
    } finally {
      await ours.stop();
    }
  },
};

async function compare(ours: Contender, bench: Bench): Promise<Row[]> {
  const pair = [ours, ...bench.rivals.filter(({ name }) => name === BESIDE)];
  for (const each of pair) await warm(each, PATHS);
  const speeds = new Map<Contender, number[]>(pair.map((each) => [each, []]));
  const costs = await inTurn(pair, bench.rounds, async (contender) => {
    const { megabytesPerSecond, cpuUs } = await download(contender, bench);
    speeds.get(contender)?.push(megabytesPerSecond);
    return cpuUs;
  });
  const atLeast = { [BESIDE]: ratioAtLeast(0.4) };
  const atMost = { [BESIDE]: ratioAtMost(2.5) };
  return [
    ...rowsBeside('hit 1 MB from disk: throughput', speeds, ours, 'MB/s', atLeast),
    ...rowsBeside('hit 1 MB from disk: CPU per request', costs, ours, 'µs', atMost),
  ];
}

async function download(
  contender: Contender,
  { folder, origin, seconds }: Bench,
): Promise<{ megabytesPerSecond: number; cpuUs: number }> {
  const script = join(folder, 'megabytes.lua');
  writeFileSync(script, IN_TURN);
  return ofKept(origin, contender.name, async () => {
    const before = cpuTimeUs(contender.pids);
    const load = { path: '/megabyte', script };
    const { requests, perSecond } = await wrk(contender, load, seconds);
    const cpuUs = (cpuTimeUs(contender.pids) - before) / requests;
    return { megabytesPerSecond: (perSecond * KEPT_BYTES.megabyte) / 1e6, cpuUs };
  });
}

const IN_TURN = `local each = 0
request = function()
  each = (each + 1) % ${FILES}
  return wrk.format(nil, '/megabyte?' .. each)
end
`;
