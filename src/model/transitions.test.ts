import { describe, expect, it } from 'vitest';
import type { StateMachine } from '../kernel/state-machine.ts';
import { deploymentMachine } from './deployment.ts';
import { environmentMachine } from './environment.ts';
import { hookMachine } from './hook.ts';
import { instanceMachine } from './instance.ts';
import { targetMachine } from './target.ts';

/**
 * Every pair of states of every machine. Written out a second time on purpose: `+` is legal, `.`
 * is not; a row is where it comes from, a column where it goes, both in the order of the names.
 */
const tables: { machine: StateMachine<string>; states: string[]; rows: string[] }[] = [
  {
    machine: environmentMachine as StateMachine<string>,
    states: ['launching', 'ready', 'updating', 'terminating', 'terminated'],
    rows: [
      '. + . + .', // launching
      '. . + + .', // ready
      '. + . + .', // updating
      '. . . . +', // terminating
      '+ . . . .', // terminated
    ],
  },
  {
    machine: deploymentMachine as StateMachine<string>,
    states: ['running', 'rolling-back', 'succeeded', 'rolled-back', 'aborted', 'failed'],
    rows: [
      '. + + . . .', // running
      '. . . + + +', // rolling-back
      '. . . . . .', // succeeded
      '. . . . . .', // rolled-back
      '. . . . . .', // aborted
      '. . . . . .', // failed
    ],
  },
  {
    machine: hookMachine as StateMachine<string>,
    states: ['due', 'running', 'passed', 'kept', 'failed', 'stopped'],
    rows: [
      '. + . + . .', // due
      '. . + . + +', // running
      '. . . . . .', // passed
      '. . . . . .', // kept
      '. . . . . .', // failed
      '. . . . . .', // stopped
    ],
  },
  {
    machine: instanceMachine as StateMachine<string>,
    states: [
      ...['pending', 'in-service', 'draining', 'standby', 'warmed'],
      ...['terminating', 'terminated'],
    ],
    rows: [
      '. + . . + + +', // pending
      '. . + . . . +', // in-service
      '. + . + . + +', // draining
      '. + . . . + +', // standby
      '. + . . . + +', // warmed
      '. . . . . . +', // terminating
      '. . . . . . .', // terminated
    ],
  },
  {
    machine: targetMachine as StateMachine<string>,
    states: ['initial', 'healthy', 'unhealthy', 'draining', 'unused'],
    rows: [
      '. + + + +', // initial
      '. . + + +', // healthy
      '. + . + +', // unhealthy
      '. + + . +', // draining
      '+ + + + .', // unused
    ],
  },
];

describe.each(tables)('the states of a $machine.name', ({ machine, states, rows }) => {
  it('are these', () => {
    expect([...machine.states].sort()).toEqual([...states].sort());
  });

  const pairs = states.flatMap((from, row) =>
    states.map((to, column) => ({ from, to, legal: rows[row]?.split(' ')[column] === '+' })),
  );

  it.each(pairs.filter(({ legal }) => legal))('may go from $from to $to', ({ from, to }) => {
    expect(machine.move('it', from, to)).toBe(to);
  });

  it.each(pairs.filter(({ legal }) => !legal))('may not go from $from to $to', ({ from, to }) => {
    expect(() => machine.move('it', from, to)).toThrow(
      expect.objectContaining({ code: 'illegal-transition', subject: 'it' }),
    );
  });
});
