import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type Behaviour,
  crashesAtBoot,
  good,
  SimulatedEnvironment,
  turnsUnhealthy,
} from '../../test/support/simulated-environment.ts';
import { type CachePolicy, HONOUR_THE_APP, type RoutedCache } from '../model/cache.ts';
import { EVERYTHING, NO_CACHE_PURGES, withPurge } from '../model/cache-purges.ts';
import type { Rollout } from '../model/configuration.ts';
import type { Environment } from '../model/environment.ts';
import type { InstanceState } from '../model/instance.ts';
import type { Rule } from '../model/snapshot.ts';
import { DEFAULT_TRAFFIC } from '../model/traffic.ts';
import { policies } from './rollout/policies.ts';
import { trafficShare } from './rollout/share.ts';
import { planRouting, type RoutedEnvironment, type RoutedInstance } from './routing.ts';

const health = {
  path: '/',
  matcher: { from: 200, to: 399 },
  intervalMs: 1_000,
  timeoutMs: 500,
  healthyThreshold: 2,
  unhealthyThreshold: 2,
  body: null,
  deepPath: null,
};

const environment: Environment = {
  key: 'shop/production',
  application: 'shop',
  name: 'production',
  status: 'ready',
  release: 1,
  capacity: { min: 1, desired: 1, max: 4 },
  names: null,
  createdAt: 0,
  terminatedAt: null,
  cachePurges: NO_CACHE_PURGES,
};

const SWITCH: CachePolicy = { rules: [{ ...HONOUR_THE_APP, path: '/a/*' }], onDeploy: 'switch' };

const release = (
  number: number,
  cache: CachePolicy | null = SWITCH,
  upstream: string | null = null,
): RoutedEnvironment['releases'][number] => ({
  ...{ number, domains: ['shop.test'], health, drainMs: 0, upstream },
  traffic: { ...DEFAULT_TRAFFIC, cache },
  ...{ idleMs: null, startTimeoutMs: 1_000 },
});

let nextId = 0;
const instances = (number: number, state: InstanceState, count: number): RoutedInstance[] =>
  Array.from({ length: count }, () => ({
    id: `i-${++nextId}`,
    ...{ zone: 'a', release: number, state, since: 0 },
    address: { host: '127.0.0.1', port: 9 },
  }));

function routed(fields: Partial<RoutedEnvironment>): { rule: Rule; cache: RoutedCache | null } {
  const { rules } = planRouting([
    {
      environment,
      capacity: environment.capacity,
      goal: 1,
      fixedUntilThen: 1,
      share: null,
      releases: [release(1)],
      instances: instances(1, 'in-service', 2),
      ...fields,
    },
  ]);
  const [rule] = rules;
  if (!rule) throw new Error('there is no rule');
  return { rule, cache: rule.cache };
}

describe('the cache in the routing', () => {
  it('is off where the configuration in force says nothing of it', () => {
    const { cache } = routed({ releases: [release(1, null)] });
    expect(cache).toBe(null);
  });

  it('has the rules of the goal of a deployment', () => {
    const other = { ...SWITCH, rules: [] };
    expect(routed({ goal: 2, releases: [release(1), release(2, other)] }).cache?.rules).toEqual([]);
  });

  it('has the purges on record', () => {
    const tag = { kind: 'tag' as const, value: 'news' };
    const cachePurges = [EVERYTHING, tag].reduce(withPurge, NO_CACHE_PURGES);
    expect(routed({ environment: { ...environment, cachePurges } }).cache).toEqual({
      rules: SWITCH.rules,
      release: 1,
      purgedUpTo: 1,
      purges: [{ number: 2, ...tag }],
    });
  });

  it.each(['purge', 'keep'] as const)('is one for all releases under %s', (onDeploy) => {
    expect(routed({ releases: [release(1, { ...SWITCH, onDeploy })] }).cache?.release).toBe(null);
  });
});

describe('the release whose answers are kept', () => {
  const two = { goal: 2, releases: [release(1), release(2)] };
  const kept = (...groups: RoutedInstance[][]) =>
    routed({ ...two, instances: groups.flat() }).cache?.release;

  it('is the one that most of the traffic goes to', () => {
    expect(kept(instances(1, 'in-service', 3), instances(2, 'in-service', 1))).toBe(1);
    expect(kept(instances(1, 'in-service', 1), instances(2, 'in-service', 2))).toBe(2);
  });

  it('is the one that has proven itself while both have half of it', () => {
    expect(kept(instances(1, 'in-service', 2), instances(2, 'in-service', 2))).toBe(1);
  });

  it('is the old one while the new one only starts', () => {
    expect(kept(instances(1, 'draining', 2), instances(2, 'pending', 2))).toBe(1);
  });

  it('is the last that has proven itself while nothing runs', () => {
    expect(routed({ instances: [] }).cache?.release).toBe(1);
    const asleep = { ...environment, asleep: { since: 0, desired: 1 } };
    expect(routed({ environment: asleep, instances: [] }).cache?.release).toBe(1);
  });

  it('is the first one from the beginning', () => {
    const first = { ...environment, release: null };
    expect(routed({ environment: first, instances: [] }).cache?.release).toBe(1);
  });

  it.each([
    [0, 1],
    [10, 1],
    [50, 1],
    [60, 2],
    [100, 2],
  ])('follows a share of %i per cent of the new one: %i', (percent, expected) => {
    const share = { release: 2, percent, stickyMs: null };
    const all = [...instances(1, 'in-service', 2), ...instances(2, 'in-service', 2)];
    expect(routed({ ...two, share, instances: all }).cache?.release).toBe(expected);
  });

  it('is that of a fixed address until another has proven itself', () => {
    const releases = [
      release(1, SWITCH, 'http://127.0.0.1:1'),
      release(2, SWITCH, 'http://127.0.0.1:2'),
    ];
    const moving = { goal: 2, releases, instances: [] };
    expect(routed({ ...moving, fixedUntilThen: 1 }).cache?.release).toBe(1);
    const moved = { ...environment, release: 2 };
    expect(routed({ ...moving, environment: moved, fixedUntilThen: 2 }).cache?.release).toBe(2);
  });
});

/** What the routing says of a simulated environment now, with the cache on. */
function routingOf(simulated: SimulatedEnvironment): Rule {
  const { deployment } = simulated;
  const live = simulated.live();
  const turned = deployment?.state === 'rolling-back';
  const goal = deployment ? (turned ? deployment.from : deployment.to) : null;
  return routed({
    environment: simulated.environment,
    goal: goal ?? simulated.environment.release,
    share: trafficShare(deployment, live),
    releases: [release(1), release(2)],
    instances: live.map(({ id, zone, release: number, state, since }) => ({
      ...{ id, zone, release: number, state, since },
      address: { host: '127.0.0.1', port: 9 },
    })),
  }).rule;
}

const weightOf = ({ forward }: Rule, number: number): number =>
  forward.find(({ pool }) => pool.endsWith(`#${number}`))?.weight ?? 0;

/**
 * Releases in turn, as they were kept while release 2 was deployed over release 1.
 *
 * @param meanwhile what happens beside, told how long it has been going on
 */
function walk(
  desired: number,
  rollout: Partial<Rollout>,
  behaviour: Behaviour,
  meanwhile: (simulated: SimulatedEnvironment, passedMs: number) => void = () => {},
) {
  const simulated = new SimulatedEnvironment(desired);
  simulated.addRelease(1, good);
  simulated.deploy(1);
  simulated.runUntilVerdict();
  simulated.requestsPerSecond = 400;
  simulated.addRelease(2, behaviour, rollout);
  simulated.deploy(2);
  const releases: (number | null)[] = [];
  const startedAt = simulated.now;
  const look = () => {
    meanwhile(simulated, simulated.now - startedAt);
    const rule = routingOf(simulated);
    const number = rule.cache?.release ?? null;
    if (number !== releases.at(-1)) releases.push(number);
    const isServed = simulated.live().some(({ state }) => state === 'in-service');
    const total = isServed ? rule.forward.reduce((sum, { weight }) => sum + weight, 0) : 0;
    expect(weightOf(rule, number ?? 0)).toBeGreaterThanOrEqual(total / 2);
    return simulated.deployment === null;
  };
  simulated.run(600_000, look);
  simulated.run(1_000, () => look() && false);
  return { releases, state: simulated.verdicts.at(-1)?.state };
}

describe.each(Object.keys(policies) as Rollout['policy'][])('%s', (policy) => {
  test.each([1, 2, 5])('turns what is kept once, with most of the traffic: %i', (desired) => {
    expect(walk(desired, { policy }, good)).toEqual({ releases: [1, 2], state: 'succeeded' });
  });

  test('keeps on for the old release when the new one never serves', () => {
    expect(walk(3, { policy }, crashesAtBoot)).toEqual({ releases: [1], state: 'rolled-back' });
  });

  test('is back with the old release when the new one turns bad', () => {
    const { releases, state } = walk(3, { policy, healthyMs: 1_500 }, turnsUnhealthy);
    expect(state).toBe('rolled-back');
    expect([[1], [1, 2, 1]]).toContainEqual(releases);
  });
});

test('has most of the traffic whatever happens, and is in the end the one that the environment has', () => {
  const moment = fc.integer({ min: 0, max: 8_000 });
  const happening = fc.record({
    policy: fc.constantFrom(...(Object.keys(policies) as Rollout['policy'][])),
    desired: fc.integer({ min: 1, max: 4 }),
    behaviour: fc.constantFrom(good, turnsUnhealthy, crashesAtBoot),
    kills: fc.array(fc.tuple(moment, fc.nat(7)), { maxLength: 4 }),
    abortsAt: fc.option(moment),
  });
  fc.assert(
    fc.property(happening, ({ policy, desired, behaviour, kills, abortsAt }) => {
      const left = [...kills];
      let isAborted = abortsAt === null;
      const { releases, state } = walk(desired, { policy }, behaviour, (simulated, passedMs) => {
        for (const kill of left.filter(([at]) => at <= passedMs)) {
          left.splice(left.indexOf(kill), 1);
          const live = simulated.live();
          simulated.kill(live[kill[1] % live.length]?.id ?? '');
        }
        if (isAborted || passedMs < (abortsAt ?? 0)) return;
        isAborted = true;
        simulated.abort();
      });
      expect(releases.at(-1)).toBe(state === 'succeeded' ? 2 : 1);
    }),
    { numRuns: process.env.BELAY_NIGHTLY ? 300 : 10 },
  );
});
