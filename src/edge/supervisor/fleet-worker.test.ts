import { expect, it } from 'vitest';
import { workerMachine } from './fleet-worker.ts';

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
