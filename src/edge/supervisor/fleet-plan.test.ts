import { describe, expect, it } from 'vitest';
import {
  backOffMs,
  type FleetState,
  MAX_GENERATIONS,
  planFleet,
  UPGRADE_DRAIN_MS,
} from './fleet-plan.ts';
import type { WorkerState } from './fleet-worker.ts';

/** `a2` is worker a of generation 2. */
function fleet(
  workers: Record<string, WorkerState>,
  state: Partial<Omit<FleetState, 'workers'>> = {},
): FleetState {
  return {
    generation: 1,
    size: 1,
    adopting: false,
    ...state,
    workers: Object.entries(workers).map(([name, itsState]) => ({
      name,
      generation: Number(name.slice(1)),
      state: itsState,
    })),
  };
}

const drain = (worker: string) => ({
  kind: 'retire',
  worker,
  drainMs: UPGRADE_DRAIN_MS,
  early: false,
});

/** One worker of each, of which the last serves. */
function generations(count: number): Record<string, WorkerState> {
  const workers: Record<string, WorkerState> = {};
  for (let generation = 1; generation < count; generation += 1) {
    workers[`w${generation}`] = 'retiring';
  }
  return { ...workers, [`w${count}`]: 'accepting' };
}

describe('a plan for the fleet', () => {
  it.each<[string, FleetState, unknown[]]>([
    ['is empty at rest', fleet({ a1: 'accepting' }), []],
    ['waits for one that starts', fleet({ a1: 'starting' }), []],
    ['launches the first', fleet({}), [{ kind: 'launch', count: 1 }]],
    [
      'launches what is missing',
      fleet({ a1: 'accepting' }, { size: 3 }),
      [{ kind: 'launch', count: 2 }],
    ],
    ['replaces one that retires', fleet({ a1: 'retiring' }), [{ kind: 'launch', count: 1 }]],
    ['waits for one it adopts', fleet({ a1: 'absent' }, { adopting: true }), []],
    ['waits no longer after the grace', fleet({ a1: 'absent' }), [{ kind: 'launch', count: 1 }]],
    [
      'keeps those that accept, of too many',
      fleet({ a1: 'starting', b1: 'accepting' }),
      [drain('a1')],
    ],
    ['retires one too many', fleet({ a1: 'accepting', b1: 'accepting' }), [drain('b1')]],
    [
      'keeps the old generation until the new one accepts',
      fleet({ a1: 'accepting', b2: 'starting' }, { generation: 2 }),
      [],
    ],
    [
      'keeps the old generation until all of the new one accept',
      fleet({ a1: 'accepting', b2: 'accepting', c2: 'starting' }, { generation: 2, size: 2 }),
      [],
    ],
    [
      'retires the old generation then',
      fleet({ a1: 'accepting', b2: 'accepting' }, { generation: 2 }),
      [drain('a1')],
    ],
    ['does not retire twice', fleet({ a1: 'retiring', b2: 'accepting' }, { generation: 2 }), []],
  ])('%s', (_name, state, steps) => {
    expect(planFleet(state)).toEqual(steps);
  });

  it('counts the current generation among the ones that may live', () => {
    const full = generations(MAX_GENERATIONS);
    expect(planFleet(fleet(full, { generation: MAX_GENERATIONS }))).toEqual([]);
  });

  it('cuts off a generation beyond them before its time, and says so', () => {
    const tooMany = generations(MAX_GENERATIONS + 1);
    expect(planFleet(fleet(tooMany, { generation: MAX_GENERATIONS + 1 }))).toEqual([
      { kind: 'retire', worker: 'w1', drainMs: 0, early: true },
    ]);
  });
});

it('waits longer with every worker that dies before it is ready, up to a limit', () => {
  expect([0, 1, 2, 3, 4, 7, 8, 2_000].map(backOffMs)).toEqual([
    0, 0, 100, 200, 400, 3_200, 5_000, 5_000,
  ]);
});
