import { join } from 'node:path';
import { median, type Row } from '../../report.ts';
import type { Contender } from '../contender.ts';
import { LOAD_CORE, pin, run, SERVING_CORE } from '../cores.ts';
import type { FixedRateResult } from '../fixed-rate-process.ts';
import { wrk } from '../load.ts';
import { type Bench, inTurn, type Measure, rowsBeside } from '../measure.ts';

/** Beside the rounds of the rest, because a 99th percentile needs more of them. */
const MORE_ROUNDS = 2;
const PROGRAM = join(import.meta.dirname, '../fixed-rate-process.ts');

/** Requests a second: what is asked of all, or half of what each can do. */
type Rate = number | 'half';

/**
 * The 99th percentile at a fixed rate, counted from when each request was due: who keeps the client
 * waiting is not forgiven for it.
 */
export const latencyBeside = (names: readonly string[], rate: Rate): Measure => ({
  name: 'latency',
  needs: ['wrk', 'taskset'],
  async run(bench) {
    const some = [bench.ours, ...bench.rivals.filter(({ name }) => names.includes(name))];
    const pids = [bench.origin, ...some].flatMap((each) => each.pids);
    pin(pids, SERVING_CORE);
    try {
      return await compare(some, rate, bench);
    } finally {
      pin(pids, 'any');
    }
  },
});

async function compare(
  contenders: readonly Contender[],
  rate: Rate,
  { ours, seconds, rounds }: Bench,
): Promise<Row[]> {
  const most = await inTurn(contenders, rounds, async (contender) => {
    const { perSecond } = await wrk(contender, { path: '/small' }, seconds, LOAD_CORE);
    return perSecond;
  });
  const p99 = await inTurn(contenders, rounds + MORE_ROUNDS, (contender) =>
    p99Us(contender, rate === 'half' ? median(most.get(contender) ?? []) / 2 : rate, seconds),
  );
  const told = rate === 'half' ? 'half of that rate' : `${rate} requests/s`;
  return [
    ...rowsBeside('GET 200 B: requests/s on one core with the origin', most, ours, '/s', {}),
    ...rowsBeside(`99th percentile at ${told}`, p99, ours, 'µs', {}),
  ];
}

async function p99Us({ name, port }: Contender, rate: number, seconds: number): Promise<number> {
  const args = [PROGRAM, `${port}`, `${Math.round(rate)}`, `${seconds}`];
  const result = JSON.parse(await run(process.execPath, args, LOAD_CORE)) as FixedRateResult;
  if (result.failed > 0) throw new Error(`${name} failed ${result.failed} of ${result.sent}`);
  return result.p99Us;
}
