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

/**
 * The 99th percentile at a fixed rate, half of what each can do, counted from when each request was
 * due: who keeps the client waiting is not forgiven for it.
 */
export const latencyBeside = (...names: string[]): Measure => ({
  name: 'latency',
  needs: ['wrk', 'taskset'],
  async run(bench) {
    const some = [bench.ours, ...bench.rivals.filter(({ name }) => names.includes(name))];
    const pids = [bench.origin, ...some].flatMap((each) => each.pids);
    pin(pids, SERVING_CORE);
    try {
      return await compare(some, bench);
    } finally {
      pin(pids, 'any');
    }
  },
});

async function compare(
  contenders: readonly Contender[],
  { ours, seconds, rounds }: Bench,
): Promise<Row[]> {
  const most = await inTurn(contenders, rounds, async (contender) => {
    const { perSecond } = await wrk(contender, { path: '/small' }, seconds, LOAD_CORE);
    return perSecond;
  });
  const p99 = await inTurn(contenders, rounds + MORE_ROUNDS, (contender) =>
    p99Us(contender, median(most.get(contender) ?? []) / 2, seconds),
  );
  return [
    ...rowsBeside('GET 200 B: requests/s on one core with the origin', most, ours, '/s', {}),
    ...rowsBeside('99th percentile at half of that rate', p99, ours, 'µs', {}),
  ];
}

async function p99Us({ name, port }: Contender, rate: number, seconds: number): Promise<number> {
  const args = [PROGRAM, `${port}`, `${Math.round(rate)}`, `${seconds}`];
  const result = JSON.parse(await run(process.execPath, args, LOAD_CORE)) as FixedRateResult;
  if (result.failed > 0) throw new Error(`${name} failed ${result.failed} of ${result.sent}`);
  return result.p99Us;
}
