import { beside, held, median, type Row, row } from '../../report.ts';
import { type Belay, type BelayOptions, startBelay } from '../belay.ts';
import { type Bench, inTurn, type Measure, ratioAtMost } from '../measure.ts';
import { cpuUsPerRequest } from './cpu-per-request.ts';

const LEAST_SHARE_PERCENT = 35;

/** CPU time of a request, each round anew. */
type Cost = (edge: Belay, bench: Bench) => Promise<number>;

/** Two workers on one listener: what a request costs beside one worker, and how they share. */
export const twoWorkers = (options: BelayOptions, costUs: Cost): Measure => ({
  name: 'workers',
  needs: ['wrk'],
  async run(bench) {
    const { folder, origin, rounds } = bench;
    const one = await startBelay(folder, origin.port, options);
    const two = await startBelay(folder, origin.port, { ...options, workers: 2 });
    const leastShares: number[] = [];
    try {
      const figures = await inTurn([one, two], rounds, async (edge) => {
        const before = await edge.accepted();
        const figure = await costUs(edge, bench);
        if (edge === two) leastShares.push(leastSharePercent(before, await edge.accepted()));
        return figure;
      });
      process.stderr.write(`  least shares: ${leastShares.map(Math.round).join(', ')} %\n`);
      return rowsOf(figures.get(one) ?? [], figures.get(two) ?? [], leastShares);
    } finally {
      await one.stop();
      await two.stop();
    }
  },
});

export const workers = twoWorkers({}, (edge, { seconds }) =>
  cpuUsPerRequest(edge, { path: '/small' }, seconds),
);

function rowsOf(oneUs: number[], twoUs: number[], leastShares: number[]): Row[] {
  const cost = row('two workers: CPU per request', median(twoUs), median(oneUs), 'µs');
  const share = row(
    'two workers: least share of either in any round',
    Math.min(...leastShares),
    null,
    '%',
  );
  return [
    held(beside('one worker', cost), ratioAtMost(1.15)),
    held(share, { of: 'ours', limit: 'at least', value: LEAST_SHARE_PERCENT }),
  ];
}

function leastSharePercent(
  before: Awaited<ReturnType<Belay['accepted']>>,
  after: Awaited<ReturnType<Belay['accepted']>>,
): number {
  const served = after.map((accepted, index) => accepted - (before[index] ?? 0));
  const total = served.reduce((sum, each) => sum + each, 0);
  return (Math.min(...served) / total) * 100;
}
