import { describe, expect, it, test } from 'vitest';
import type { Rollout } from '../model/configuration.ts';
import { type Circumstances, concernsOf, type Intention, mostInstances } from './suitability.ts';

const MB = 1_048_576;
const elsewhere = { upstream: true, warm: 0, size: null, limits: { memoryBytes: null, cpu: null } };

const rollout: Rollout = {
  policy: 'rolling',
  batch: 1,
  extra: 1,
  healthyMs: 200,
  startTimeoutMs: 60_000,
  keepMs: 0,
  percent: 10,
  bakeMs: 300_000,
  minRequests: 100,
  probes: [],
  patienceMs: 3_600_000,
};

function concerns(
  desired: number,
  wanted: Partial<Rollout>,
  circumstances: Partial<Circumstances> = {},
  intention: Partial<Intention> = {},
) {
  return concernsOf(
    {
      rollout: { ...rollout, ...wanted },
      desired,
      running: desired,
      from: { upstream: false },
      max: desired,
      to: { upstream: false, warm: 0, size: null, limits: { memoryBytes: null, cpu: null } },
      ...intention,
    },
    {
      freeMemoryBytes: 4096 * MB,
      machine: { cores: 2, memoryBytes: 4096 * MB },
      instanceBytes: 50 * MB,
      requestsPerSecond: 100,
      bootMs: 500,
      ...circumstances,
    },
  );
}

const codes = (...given: Parameters<typeof concerns>) =>
  concerns(...given).map(({ code, grave }) => (grave ? code : `(${code})`));

test.each<[string, Parameters<typeof concerns>, string[]]>([
  ['the default', [3, {}], []],
  ['the default with one instance', [1, {}], []],
  ['one in place', [1, { extra: 0 }], ['outage']],
  ['two by halves in place', [2, { extra: 0, batch: '50%' }], []],
  ['all in place', [4, { extra: 0, batch: '100%' }], ['outage']],
  ['a first deployment in place', [1, { extra: 0 }, {}, { from: null, running: 0 }], []],
  ['one more where it fits', [3, {}, { freeMemoryBytes: 50 * MB }], []],
  ['one more where it does not fit', [3, {}, { freeMemoryBytes: 49 * MB }], ['too-little-memory']],
  ['a second fleet', [3, { policy: 'blue-green' }, { freeMemoryBytes: 150 * MB }], []],
  [
    'a second fleet without room',
    [3, { policy: 'blue-green' }, { freeMemoryBytes: 149 * MB }],
    ['too-little-memory'],
  ],
  ['memory nobody has measured', [3, {}, { freeMemoryBytes: 1, instanceBytes: null }], []],
  ['a canary with traffic', [3, { policy: 'canary' }], []],
  [
    'a canary with less than it takes in its time',
    [3, { policy: 'canary' }, { requestsPerSecond: 3 }],
    ['(too-little-traffic)'],
  ],
  [
    'a canary that nobody could judge',
    [3, { policy: 'linear' }, { requestsPerSecond: 0 }],
    ['too-little-traffic'],
  ],
  [
    'a canary that Belay asks itself',
    [3, { policy: 'canary', probes: ['/'] }, { requestsPerSecond: 0 }],
    [],
  ],
  ['traffic nobody has measured', [3, { policy: 'canary' }, { requestsPerSecond: null }], []],
  ['instances slower than their deadline', [3, {}, { bootMs: 61_000 }], ['starts-too-slowly']],
  [
    'a canary to a fixed address',
    [3, { policy: 'canary' }, {}, { to: elsewhere }],
    ['fixed-address'],
  ],
  ['a fixed address', [3, {}, {}, { to: elsewhere }], []],
  ['no instance', [0, {}], ['(nothing-to-prove)']],
])('%s: %j', (_, given, expected) => expect(codes(...given)).toEqual(expected));

describe('what is said', () => {
  it('names a policy that has room', () => {
    const [concern] = concerns(6, { policy: 'immutable' }, { freeMemoryBytes: 110 * MB });
    expect(concern).toMatchObject({
      what: '6 more instances of 50 MB need 300 MB for a while, and 110 MB are free',
      instead: 'there is room for 2 at a time: rolling({ extra: 2 })',
    });
  });

  it('goes in place where there is room for none', () => {
    const [concern] = concerns(6, {}, { freeMemoryBytes: 10 * MB });
    expect(concern?.instead).toBe('replace them in place: rolling({ batch: 1, extra: 0 })');
  });

  it('says how long a judgement would take, and which share would do', () => {
    const [concern] = concerns(3, { policy: 'canary' }, { requestsPerSecond: 2 });
    expect(concern?.what).toBe(
      'at 2.0 requests a second, 10 % of them take 9 min to become 100, and bake is 5 min',
    );
    expect(concern?.instead).toMatch(/^percent: 17, or --policy immutable/);
  });
});

test.each<[Partial<Rollout>, number]>([
  [{}, 5],
  [{ extra: '50%' }, 6],
  [{ policy: 'all-at-once' }, 8],
  [{ policy: 'canary', percent: 25 }, 9],
])('%j of four stands with at most %i', (wanted, most) => {
  const intention = { desired: 4, max: 4, running: 4, from: { upstream: false } };
  const to = { ...elsewhere, upstream: false };
  expect(mostInstances({ ...intention, to, rollout: { ...rollout, ...wanted } })).toBe(most);
});
