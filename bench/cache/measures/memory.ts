import { Agent, get } from 'node:http';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { Contender } from '../../edge/contender.ts';
import { HOST, wrk } from '../../edge/load.ts';
import type { Bench, Measure } from '../../edge/measure.ts';
import { startPeer } from '../../edge/peers.ts';
import { memoryBytes } from '../../edge/processes.ts';
import { beside, median, type Row, row } from '../../report.ts';
import { startKeepingBelay } from '../keeping-belay.ts';

/** The others take all they will ever need as they start, or are the same again. */
const BESIDE = ['nginx', 'Varnish'];
const RESPONSES = 10_000;
const CONNECTIONS = 8;
/** A process that has just started grows whatever it does: so each has served for a while first. */
const WARM_UP_SECONDS = 2;
/** What is collected at leisure is by then. */
const SETTLE_MS = 3_000;
const MAX_ROUNDS = 3;

/** Added memory for each of ten thousand kept answers of 200 bytes. What is on disk does not count. */
export const memory: Measure = {
  name: 'memory',
  needs: ['wrk'],
  async run(bench): Promise<Row[]> {
    const figures = new Map<string, number[]>();
    for (let round = 0; round < Math.min(MAX_ROUNDS, bench.rounds); round += 1) {
      for (const [name, bytes] of await bytesPerResponse(bench)) {
        figures.set(name, [...(figures.get(name) ?? []), bytes]);
      }
    }
    const [[, ours] = ['', []], ...others] = figures;
    const title = '10,000 kept answers of 200 B: memory for each';
    return others.map(([name, values]) => {
      process.stderr.write(`  ${name}: ${values.map(Math.round).join(', ')} B\n`);
      return beside(name, row(title, median(ours), median(values), 'B'));
    });
  },
};

/** Of new processes each time, ours first. */
async function bytesPerResponse({ folder, origin, peers }: Bench): Promise<Map<string, number>> {
  const keepers: Contender[] = [];
  try {
    keepers.push(await startKeepingBelay(folder, origin.port));
    const growing = peers.filter(({ name }) => BESIDE.includes(name));
    for (const peer of growing) keepers.push(await startPeer(peer, folder, origin.port));
    for (const keeper of keepers) await wrk(keeper, { path: '/small' }, WARM_UP_SECONDS);
    await systemClock.sleep(SETTLE_MS);
    const figures = new Map<string, number>();
    for (const keeper of keepers) {
      const before = memoryBytes(keeper.pids);
      await askForAll(keeper);
      await systemClock.sleep(SETTLE_MS);
      figures.set(keeper.name, (memoryBytes(keeper.pids) - before) / RESPONSES);
    }
    return figures;
  } finally {
    for (const keeper of keepers) await keeper.stop();
  }
}

async function askForAll({ port }: Contender): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  const askInTurn = async (): Promise<void> => {
    while (next < RESPONSES) {
      next += 1;
      await askOnce(agent, port, `/small?${next}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, askInTurn));
  agent.destroy();
}

function askOnce(agent: Agent, port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = get({ agent, host: '127.0.0.1', port, path, headers: { host: HOST } });
    asked.on('error', reject);
    asked.on('response', (response) => response.on('end', resolve).on('error', reject).resume());
  });
}
