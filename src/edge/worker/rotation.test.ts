import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../kernel/clock.ts';
import type { Snapshot, Target } from '../../model/snapshot.ts';
import { type Balancing, DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { limitsFrom } from '../limits.ts';
import { Account } from './account.ts';
import { health, snapshot } from './edge.fixture.ts';
import { RoutingTable } from './routing-table.ts';
import type { TargetState } from './target-state.ts';

/** Who gets how much, decided by a routing table alone, without a socket. */

const SLOW_START_MS = 100_000;

interface TestTable {
  clock: ManualClock;
  table: RoutingTable;
  /** The environments for which there may be room. */
  room: string[];
  /** Puts these into force; the health of those that stay stays. */
  apply(targets: readonly Partial<Target>[], fields?: Partial<Fields>): void;
  /** Of so many picks, how many each target got; each has left before the next. */
  shares(picks: number): Record<string, number>;
  /** The same in whole per cent of many. */
  percent(): Record<string, number>;
  pick(avoid?: TargetState | null): TargetState | null;
}

interface Fields {
  balancing: Partial<Balancing>;
  zone: string;
}

function testTable(): TestTable {
  const clock = manualClock();
  const room: string[] = [];
  let number = 0;
  const table = new RoutingTable({
    clock,
    limits: limitsFrom(snapshot().settings),
    account: new Account(() => {}),
    onDrained: () => {},
    onRoom: (environment) => room.push(environment),
    cache: () => {
      throw new Error('nothing is kept here');
    },
    random: () => 0.5,
  });
  const pick = (avoid: TargetState | null = null) =>
    table.find('any')?.pick(null, avoid, clock.monotonic()) ?? null;
  const test: TestTable = {
    clock,
    table,
    room,
    pick,
    apply(targets, { balancing, zone = null } = {} as never) {
      number += 1;
      const base = snapshot({ number, targets });
      const pools = base.pools.map((pool) => ({
        ...pool,
        balancing: { ...DEFAULT_TRAFFIC.balancing, ...balancing },
      }));
      table.apply({ ...base, pools, settings: { ...base.settings, zone } } satisfies Snapshot);
    },
    shares(picks) {
      const counts: Record<string, number> = {};
      for (let i = 0; i < picks; i += 1) {
        const id = pick()?.id ?? 'none';
        counts[id] = (counts[id] ?? 0) + 1;
      }
      return counts;
    },
    percent() {
      const counts = Object.entries(test.shares(10_000));
      return Object.fromEntries(counts.map(([id, count]) => [id, Math.round(count / 100)]));
    },
  };
  return test;
}

const ids = (...names: string[]): Partial<Target>[] => names.map((id) => ({ id }));

describe('slow start', () => {
  const balancing = { slowStartMs: SLOW_START_MS };

  /** Two that have been healthy for long. */
  function settledTable(): TestTable {
    const test = testTable();
    test.apply(ids('a', 'b'), { balancing });
    test.table.updateHealth([health('a', 'healthy'), health('b', 'healthy')]);
    return test;
  }

  it('does not hold back what comes into an empty pool together', () => {
    expect(settledTable().shares(100)).toEqual({ a: 50, b: 50 });
  });

  it('gives a newcomer an evenly growing share', async () => {
    const test = settledTable();
    test.apply(ids('a', 'b', 'c'), { balancing });
    test.table.updateHealth([health('c', 'healthy')]);
    const got: number[] = [];
    for (let tenth = 0; tenth <= 10; tenth += 1) {
      const { a = 0, c = 0 } = test.shares(3_000);
      got.push(Math.round((10 * c) / a));
      await test.clock.advance(SLOW_START_MS / 10);
    }
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('begins anew when a target that failed has recovered, and not while it only stays', async () => {
    const test = settledTable();
    test.table.updateHealth([health('b', 'unhealthy', true)]);
    expect(test.shares(10)).toEqual({ a: 10 });
    test.table.updateHealth([health('b', 'healthy')]);
    await test.clock.advance(SLOW_START_MS / 2);
    test.apply(ids('a', 'b'), { balancing });
    expect(test.shares(300)).toEqual({ a: 200, b: 100 });
    await test.clock.advance(SLOW_START_MS / 2);
    expect(test.shares(300)).toEqual({ a: 150, b: 150 });
  });

  it('does not begin where no other is at its full share', async () => {
    const test = settledTable();
    test.table.updateHealth([health('b', 'unhealthy', true)]);
    await test.clock.advance(1);
    test.table.updateHealth([health('a', 'unhealthy', true), health('b', 'healthy')]);
    test.table.updateHealth([health('a', 'healthy')]);
    // `b` came into an empty pool, and `a` comes beside it.
    expect(test.shares(101)).toEqual({ a: 1, b: 100 });
  });

  it('ends for all when it is turned off', () => {
    const test = settledTable();
    test.apply(ids('a', 'b', 'c'), { balancing });
    test.table.updateHealth([health('c', 'healthy')]);
    test.apply(ids('a', 'b', 'c'), { balancing: { slowStartMs: 0 } });
    expect(test.shares(300)).toEqual({ a: 100, b: 100, c: 100 });
  });
});

describe('the own zone', () => {
  const zoned: Partial<Target>[] = [
    { id: 'a1', zone: 'a' },
    { id: 'a2', zone: 'a' },
    { id: 'a3', zone: 'a' },
    { id: 'b1', zone: 'b' },
    { id: 'b2', zone: 'b' },
  ];
  const names = ['a1', 'a2', 'a3', 'b1', 'b2'];

  function zonedTable(fields: Partial<Fields> = { zone: 'a' }): TestTable {
    const test = testTable();
    test.apply(zoned, fields);
    test.table.updateHealth(names.map((name) => health(name, 'healthy')));
    return test;
  }

  it('gets everything while it is whole', () => {
    expect(zonedTable().shares(300)).toEqual({ a1: 100, a2: 100, a3: 100 });
  });

  it('gets no more than the others where the edge has no zone', () => {
    const shares = zonedTable({}).shares(500);
    expect(shares).toEqual({ a1: 100, a2: 100, a3: 100, b1: 100, b2: 100 });
  });

  it('gives away what 1.4 times its healthy share does not cover', () => {
    const test = zonedTable();
    test.table.updateHealth([health('a1', 'unhealthy', true)]);
    // 1.4 × 2 / 3 = 93.3 %
    expect(test.percent()).toEqual({ a2: 47, a3: 47, b1: 3, b2: 3 });
    test.table.updateHealth([health('a2', 'unhealthy', true)]);
    // 1.4 × 1 / 3 = 46.7 %
    expect(test.percent()).toEqual({ a3: 47, b1: 27, b2: 27 });
  });

  it('does without the others when they have nobody, and the other way about', () => {
    const test = zonedTable();
    test.table.updateHealth(['a1', 'a2', 'b1', 'b2'].map((id) => health(id, 'unhealthy', true)));
    expect(test.shares(10)).toEqual({ a3: 10 });
    test.table.updateHealth([health('a3', 'unhealthy', true), health('b1', 'healthy')]);
    expect(test.shares(10)).toEqual({ b1: 10 });
  });

  it('is not short of those that have yet to come up', () => {
    const test = zonedTable();
    test.apply([...zoned, { id: 'a4', zone: 'a' }], { zone: 'a' });
    expect(test.shares(300)).toEqual({ a1: 100, a2: 100, a3: 100 });
  });

  it('spills what finds it full', () => {
    const test = zonedTable({ zone: 'a', balancing: { maxConcurrency: 2 } });
    const inside = Array.from({ length: 10 }, () => {
      const target = test.pick();
      if (target) target.inFlight += 1;
      return target?.id ?? 'none';
    });
    expect(inside.slice(0, 6).toSorted()).toEqual(['a1', 'a1', 'a2', 'a2', 'a3', 'a3']);
    expect(inside.slice(6).toSorted()).toEqual(['b1', 'b1', 'b2', 'b2']);
    expect(test.pick()).toBeNull();
  });

  it('spills what must not go to the only one there again', () => {
    const test = zonedTable();
    test.table.updateHealth([health('a1', 'unhealthy', true), health('a2', 'unhealthy', true)]);
    let a3: TargetState | null = null;
    while (a3?.id !== 'a3') a3 = test.pick();
    for (let i = 0; i < 10; i += 1) expect(test.pick(a3)?.id).toMatch(/^b/);
  });

  it('has its newcomers start slowly too', async () => {
    const test = testTable();
    const fields = { zone: 'a', balancing: { slowStartMs: SLOW_START_MS } };
    test.apply([{ id: 'b1', zone: 'b' }], fields);
    test.table.updateHealth([health('b1', 'healthy')]);
    test.apply(
      [
        { id: 'b1', zone: 'b' },
        { id: 'a1', zone: 'a' },
      ],
      fields,
    );
    test.table.updateHealth([health('a1', 'healthy')]);
    await test.clock.advance(SLOW_START_MS / 2);
    // 1.4 × a half
    expect(test.percent()).toEqual({ a1: 70, b1: 30 });
  });
});

describe('a bound on what is inside', () => {
  it('leaves nothing to pick when all are full, and says so when there is room', () => {
    const test = testTable();
    const balancing = { maxConcurrency: 1 };
    test.apply(ids('a', 'b'), { balancing });
    test.table.updateHealth([health('a', 'healthy'), health('b', 'healthy')]);
    const route = test.table.find('any');
    const [first, second] = [test.pick(), test.pick()];
    if (!first) throw new Error('nothing to pick');
    expect(second).not.toBe(first);
    for (const target of [first, second]) if (target) target.inFlight += 1;
    expect([test.pick(), route?.atCapacity]).toEqual([null, true]);
    first.requestLeft();
    expect(test.room).toEqual(['shop/production']);
    expect([test.pick(), route?.atCapacity]).toEqual([first, false]);
  });

  it('is no capacity where nobody is healthy', () => {
    const test = testTable();
    test.apply(ids('a'), { balancing: { maxConcurrency: 1 } });
    expect([test.pick(), test.table.find('any')?.atCapacity]).toEqual([null, false]);
  });

  it('that is lowered lets what is inside finish', () => {
    const test = testTable();
    test.apply(ids('a'), { balancing: { maxConcurrency: 3 } });
    test.table.updateHealth([health('a', 'healthy')]);
    const target = test.pick();
    if (!target) throw new Error('nothing to pick');
    target.inFlight = 3;
    test.apply(ids('a'), { balancing: { maxConcurrency: 1 } });
    target.requestLeft();
    target.requestLeft();
    expect([test.pick(), test.room]).toEqual([null, []]);
    target.requestLeft();
    expect([test.pick(), test.room]).toEqual([target, ['shop/production']]);
  });
});

describe('the weights of pools', () => {
  const two = (targets: [Partial<Target>[], Partial<Target>[]], balancing = {}) =>
    targets.map((those, i) => {
      const [pool] = snapshot({ targets: those }).pools;
      if (!pool) throw new Error('no pool');
      return { ...pool, id: `p${i}`, balancing: { ...pool.balancing, ...balancing } };
    });
  const rule = (...weights: number[]) => ({
    hosts: ['*'],
    environment: 'shop/production',
    forward: weights.map((weight, i) => ({ pool: `p${i}`, weight })),
  });
  const healthy = [health('a', 'healthy', true, 'p0'), health('b', 'healthy', true, 'p1')];

  it('are kept exactly, however often a snapshot comes between', () => {
    const test = testTable();
    const pools = two([ids('a'), ids('b')]);
    const counts: Record<string, number> = { a: 0, b: 0 };
    for (let number = 1; number <= 100; number += 1) {
      test.table.apply(snapshot({ number, pools, rules: [rule(19, 1)] }));
      if (number === 1) test.table.updateHealth(healthy);
      const id = test.pick()?.id ?? 'none';
      counts[id] = (counts[id] ?? 0) + 1;
    }
    expect(counts).toEqual({ a: 95, b: 5 });
  });

  it('give way to room', () => {
    const test = testTable();
    const pools = two([ids('a'), ids('b')], { maxConcurrency: 4 });
    test.table.apply(snapshot({ pools, rules: [rule(3, 1)] }));
    test.table.updateHealth(healthy);
    const inside: Record<string, number> = { a: 0, b: 0 };
    for (let target = test.pick(); target !== null; target = test.pick()) {
      target.inFlight += 1;
      inside[target.id] = target.inFlight;
    }
    expect(inside).toEqual({ a: 4, b: 4 });
    expect(test.table.find('any')?.atCapacity).toBe(true);
  });

  it('of zero take nothing, even when the others are full', () => {
    const test = testTable();
    const pools = two([ids('a'), ids('b')], { maxConcurrency: 1 });
    test.table.apply(snapshot({ pools, rules: [rule(1, 0)] }));
    test.table.updateHealth(healthy);
    const target = test.pick();
    if (target) target.inFlight += 1;
    expect([target?.id, test.pick()]).toEqual(['a', null]);
  });
});
