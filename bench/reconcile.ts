import { systemClock } from '../src/kernel/clock.ts';
import { configuration, SimulatedControl } from '../test/support/simulated-control.ts';
import { median, type Row, report, row } from './report.ts';

/**
 * One reconciliation of an environment that wants nothing: the price of looking, which is paid every
 * second and at every event. `node bench/reconcile.ts [--json]`.
 */

const CASES = [
  { instances: 1_000, boundMs: 20 },
  { instances: 10_000, boundMs: 200 },
];
const ROUNDS = 21;

const rows: Row[] = [];
for (const { instances, boundMs } of CASES) {
  const took = await measure(instances);
  const name = `reconcile: ${instances} converged instances, next to the bound`;
  rows.push(row(name, took, boundMs, 'ms'));
}
report(rows);

async function measure(instances: number): Promise<number> {
  await using simulated = new SimulatedControl();
  await simulated.start();
  const capacity = { min: instances, desired: instances, max: instances };
  const rollout = { ...configuration.rollout, startTimeoutMs: 60_000 };
  await simulated.deploy(`sha256:${'0'.repeat(64)}`, {
    web: { ...configuration.web, capacity },
    rollout,
  });
  const { state } = await simulated.settled();
  const { key } = simulated.store.environments()[0] ?? { key: '' };
  if (state !== 'succeeded') throw new Error(`the fleet did not come up: ${state}`);
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = systemClock.monotonic();
    await simulated.control.reconcileNow(key);
    took.push(systemClock.monotonic() - begun);
  }
  return median(took);
}
