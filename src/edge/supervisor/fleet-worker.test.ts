import { expect, it } from 'vitest';
import type { WorkerReport } from '../link.ts';
import { fleetWorker, insideAll, noteReport, workerMachine } from './fleet-worker.ts';

const legal = [
  'absent accepting',
  'absent retiring',
  'absent ended',
  'starting accepting',
  'starting retiring',
  'starting ended',
  'accepting retiring',
  'accepting ended',
  'retiring ended',
];

it.each(workerMachine.states.flatMap((from) => workerMachine.states.map((to) => ({ from, to }))))(
  'a worker from $from to $to',
  ({ from, to }) => {
    const move = () => workerMachine.move('test', from, to);
    if (legal.includes(`${from} ${to}`)) expect(move()).toBe(to);
    else expect(move).toThrow(expect.objectContaining({ code: 'illegal-transition' }));
  },
);

/** A worker that has reported this of its targets. */
function reporting(name: string, targets: WorkerReport['targets']) {
  const identity = { name, process: { pid: 1, startTicks: 1 }, generation: 1 };
  const worker = fleetWorker(identity, 'accepting', null);
  const counts = { request: null, accepted: 0, inFlight: 0, tunnels: 0, rows: [], complete: true };
  noteReport(worker, { ...counts, targets });
  return worker;
}

it('sums what is inside a target, and takes it for left out when one worker does', () => {
  const ejection = '5 errors in a row; left out for 30 s';
  const inside = { pool: 'p', target: 'a', inFlight: 2, tunnels: 1 };
  const first = reporting('1', [inside, { ...inside, target: 'b', inFlight: 0, tunnels: 0 }]);
  const second = reporting('2', [{ ...inside, ejection }]);
  const third = reporting('3', [{ ...inside, inFlight: 0, tunnels: 0, ejection: 'other' }]);
  expect([...insideAll([first, second, third])]).toEqual([
    ['p a', { inFlight: 4, tunnels: 2, ejection }],
  ]);
  expect([...insideAll([first])]).toEqual([['p a', { inFlight: 2, tunnels: 1, ejection: null }]]);
});
