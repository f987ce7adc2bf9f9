import { describe, expect, it } from 'vitest';
import type { Balancing } from '../../../model/traffic.ts';
import { pickerFor } from './algorithms.ts';
import { pickByWeight } from './pick-by-weight.ts';
import { type Pickable, type Picker, UNBOUNDED } from './picker.ts';
import { seededRandom } from './seeded-random.fixture.ts';

const ALGORITHMS = ['round-robin', 'least-outstanding', 'weighted-random'] as const;
const SLOW_START_MS = 100_000;

interface Choice extends Pickable {
  name: string;
  inFlight: number;
  picked: number;
}

const choice = (name: string, fields: Partial<Choice> = {}): Choice => ({
  name,
  picked: 0,
  suspectUntilMs: 0,
  inFlight: 0,
  mostInFlight: UNBOUNDED,
  slowUntilMs: 0,
  slowStartMs: SLOW_START_MS,
  turnCredit: 0,
  ...fields,
});

/** One that has been in slow start for so long at time 0. */
const slow = (name: string, forMs: number): Choice =>
  choice(name, { slowUntilMs: SLOW_START_MS - forMs });

const picker = (algorithm: Balancing['algorithm']): Picker<Choice> =>
  pickerFor(algorithm, seededRandom(7));

/** Picks so often that chance has little to say; every request has left before the next. */
function shares(of: Picker<Choice>, choices: Choice[], rounds = 20_000): number[] {
  for (let round = 0; round < rounds; round += 1) {
    const picked = of.pick(choices, null, 0);
    if (picked) picked.picked += 1;
  }
  return choices.map(({ picked }) => Math.round((100 * picked) / rounds));
}

describe.each(ALGORITHMS)('%s', (algorithm) => {
  it('gives equals the same', () => {
    const choices = ['a', 'b', 'c', 'd'].map((name) => choice(name));
    for (const share of shares(picker(algorithm), choices)) {
      expect(Math.abs(share - 25)).toBeLessThanOrEqual(1);
    }
  });

  it('has nothing to pick among none', () => {
    expect(picker(algorithm).pick([], null, 0)).toBeNull();
  });

  it('leaves alone what refused a connection, until the time is over', () => {
    const choices = [choice('a', { suspectUntilMs: 1_000 }), choice('b')];
    expect(shares(picker(algorithm), choices)).toEqual([0, 100]);
    const later = picker(algorithm);
    const names = Array.from({ length: 50 }, () => later.pick(choices, null, 1_000)?.name);
    expect(new Set(names)).toEqual(new Set(['a', 'b']));
  });

  it('prefers one that refused a connection to the one to avoid, and either to none', () => {
    const [a, b] = [choice('a', { suspectUntilMs: 1_000 }), choice('b', { suspectUntilMs: 1_000 })];
    const any = picker(algorithm);
    for (let i = 0; i < 10; i += 1) expect(any.pick([a, b], a, 0)?.name).toBe('b');
    expect(any.pick([a], a, 0)?.name).toBe('a');
  });

  it('never picks one that is full, even when it is the only one', () => {
    const full = choice('full', { inFlight: 3, mostInFlight: 3 });
    const any = picker(algorithm);
    expect(shares(any, [full, choice('a')])).toEqual([0, 100]);
    expect(any.pick([full], null, 0)).toBeNull();
    expect(any.pick([full], full, 0)).toBeNull();
    full.inFlight -= 1;
    expect(any.pick([full], null, 0)?.name).toBe('full');
  });

  it.each([
    { forMs: 10_000, expected: [32, 32, 32, 3] },
    { forMs: 50_000, expected: [29, 29, 29, 14] },
    { forMs: 90_000, expected: [26, 26, 26, 23] },
    { forMs: 100_000, expected: [25, 25, 25, 25] },
  ])(
    'gives one in slow start for $forMs ms of 100,000 so much of a share',
    ({ forMs, expected }) => {
      const choices = [choice('a'), choice('b'), choice('c'), slow('new', forMs)];
      const got = shares(picker(algorithm), choices);
      for (const [i, share] of expected.entries()) {
        expect(Math.abs((got[i] ?? 0) - share)).toBeLessThanOrEqual(1);
      }
    },
  );

  it('uses one in slow start for everything when there is no other', () => {
    const bad = choice('bad', { suspectUntilMs: 1_000 });
    expect(shares(picker(algorithm), [slow('new', 5_000), bad])).toEqual([100, 0]);
  });
});

describe.each(['round-robin', 'weighted-random'] as const)('%s', (algorithm) => {
  it('shares among those in slow start alone by how far they have come', () => {
    const [behind = 0] = shares(picker(algorithm), [slow('a', 10_000), slow('b', 90_000)]);
    expect(Math.abs(behind - 10)).toBeLessThanOrEqual(1);
  });
});

describe('round robin', () => {
  it('takes them in turn', () => {
    const choices = ['a', 'b', 'c'].map((name) => choice(name));
    const any = picker('round-robin');
    const names = Array.from({ length: 6 }, () => any.pick(choices, null, 0)?.name);
    expect(names.slice(0, 3)).toEqual(names.slice(3));
    expect(new Set(names).size).toBe(3);
  });
});

describe('first', () => {
  const choices = [choice('a', { suspectUntilMs: 1_000 }), choice('b'), choice('c')];
  const any = pickerFor<Choice>('first', seededRandom(7));

  it('takes the first that is not to be left alone, every time', () => {
    const names = (nowMs: number) =>
      Array.from({ length: 5 }, () => any.pick(choices, null, nowMs)?.name).join('');
    expect(names(0)).toBe('bbbbb');
    expect(names(1_000)).toBe('aaaaa');
  });

  it('goes on to the next for one to avoid, and for one that is full', () => {
    const full = choice('full', { inFlight: 1, mostInFlight: 1 });
    const [a, b, c] = choices as [Choice, Choice, Choice];
    expect(any.pick([full, b, c], b, 0)?.name).toBe('c');
    expect(any.pick([a], null, 0)?.name).toBe('a');
    expect(any.pick([full, b], b, 0)?.name).toBe('b');
    expect(any.pick([full], null, 0)).toBeNull();
  });
});

describe('least outstanding', () => {
  it('takes the one with the fewest inside, whoever had the last turn', () => {
    const choices = [5, 2, 9].map((inFlight, i) => choice(`${i}`, { inFlight }));
    const any = picker('least-outstanding');
    for (let i = 0; i < 5; i += 1) expect(any.pick(choices, null, 0)?.name).toBe('1');
  });

  it('fills a newcomer up to the others, then goes on in turn', () => {
    const choices = [choice('old', { inFlight: 4 }), choice('new')];
    const any = picker('least-outstanding');
    for (let i = 0; i < 10; i += 1) {
      const picked = any.pick(choices, null, 0);
      if (picked) picked.inFlight += 1;
    }
    expect(choices.map(({ inFlight }) => inFlight)).toEqual([7, 7]);
  });

  it('lets one in slow start hold only its share of what the others hold', () => {
    const choices = [
      choice('a', { inFlight: 20 }),
      choice('b', { inFlight: 20 }),
      slow('c', 25_000),
    ];
    const any = picker('least-outstanding');
    for (let i = 0; i < 60; i += 1) {
      const picked = any.pick(choices, null, 0);
      if (picked) picked.inFlight += 1;
    }
    const [a = 0, b = 0, c = 0] = choices.map(({ inFlight }) => inFlight);
    expect(Math.abs(a - b)).toBeLessThanOrEqual(1);
    expect(c / a).toBeCloseTo(0.25, 1);
  });
});

describe('weights between pools', () => {
  it('are kept exactly, and spread', () => {
    const pools = [5, 1, 1].map((weight, i) => ({ weight, credit: 0, name: 'abc'[i] }));
    const names = Array.from({ length: 7 }, () => pickByWeight(pools)?.name).join('');
    expect(names).toBe('aabacaa');
  });
});
