import { describe, expect, it, test } from 'vitest';
import { NO_CACHE_PURGES } from '../model/cache-purges.ts';
import type { Environment } from '../model/environment.ts';
import { NO_SCALING, type ScalingPolicy } from '../model/scaling.ts';
import type { Opinion } from '../model/scaling-decision.ts';
import { DEFAULT_TRAFFIC } from '../model/traffic.ts';
import { planRouting, type RoutedEnvironment, type RoutedInstance } from './routing.ts';
import { wantsToStayAwake } from './sleep.ts';

const track: ScalingPolicy = {
  kind: 'track',
  metric: 'concurrency',
  source: null,
  target: 10,
  scaleIn: true,
};
const backlog: ScalingPolicy = {
  ...track,
  metric: 'backlog-per-instance',
  source: { name: 'orders', url: null },
};
const schedule: ScalingPolicy = {
  kind: 'schedule',
  cron: '0 9 * * *',
  timeZone: 'UTC',
  until: null,
  min: 1,
  max: null,
  desired: null,
};

const decision = (wants: readonly (number | null)[], reported: Record<string, number> = {}) => ({
  opinions: wants.map((each): Opinion => ({ policy: 'p', wants: each, mayShrink: true, why: '' })),
  measured: {
    at: 0,
    instances: 1,
    cpuPercent: 0,
    requestsPerMinute: 0,
    concurrency: 0,
    p99Ms: null,
    reported,
  },
});

test.each<[string, ScalingPolicy[], ReturnType<typeof decision> | null, boolean]>([
  ['no policy', [], null, false],
  ['the calendar alone, which speaks by bounds', [schedule], null, false],
  ['what was not decided yet', [track], null, true],
  ['one that is never theirs to take', [track], decision([1]), false],
  ['nothing, for want of numbers', [track], decision([null]), false],
  ['more than one', [track, track], decision([1, 2]), true],
  ['an empty backlog', [backlog], decision([1], { orders: 0 }), false],
  ['a backlog', [backlog], decision([1], { orders: 3 }), true],
  ['a backlog that nobody knows', [backlog], decision([1]), true],
])('is kept awake or not by %s', (_, policies, last, awake) => {
  expect(wantsToStayAwake({ ...NO_SCALING, policies }, last)).toBe(awake);
});

const environment: Environment = {
  key: 'shop/production',
  application: 'shop',
  name: 'production',
  status: 'ready',
  release: 1,
  capacity: { min: 0, desired: 0, max: 4 },
  names: null,
  createdAt: 0,
  terminatedAt: null,
  cachePurges: NO_CACHE_PURGES,
};

const instance = (state: RoutedInstance['state']): RoutedInstance => ({
  id: 'i-1',
  zone: 'a',
  release: 1,
  state,
  since: 0,
  address: { host: '127.0.0.1', port: 9 },
});

function routing(
  desired: number,
  instances: readonly RoutedInstance[],
  release: Partial<RoutedEnvironment['releases'][number]> = {},
  of: RoutedEnvironment['environment'] = environment,
) {
  const health = {
    path: '/healthz',
    matcher: { from: 200, to: 299 },
    intervalMs: 1_000,
    timeoutMs: 500,
    healthyThreshold: 1,
    unhealthyThreshold: 2,
    body: null,
    deepPath: '/readyz',
  };
  const { rules } = planRouting([
    {
      environment: of,
      capacity: { ...of.capacity, desired },
      goal: 1,
      fixedUntilThen: null,
      share: null,
      instances,
      releases: [
        {
          number: 1,
          domains: ['shop.localhost'],
          health,
          traffic: DEFAULT_TRAFFIC,
          drainMs: 1_000,
          upstream: null,
          idleMs: 60_000,
          startTimeoutMs: 20_000,
          ...release,
        },
      ],
    },
  ]);
  const [rule] = rules;
  if (!rule) throw new Error('there is no rule');
  return rule;
}

const { queueMs } = DEFAULT_TRAFFIC.admission;

describe('the rule of an environment that sleeps', () => {
  it('tells the paths of its checks, and that it is asleep once nobody serves', () => {
    const probePaths = ['/healthz', '/readyz'];
    expect(routing(0, []).wake).toEqual({ asleep: true, probePaths });
    expect(routing(0, [instance('draining')]).wake).toEqual({ asleep: true, probePaths });
    expect(routing(0, [instance('in-service')]).wake).toEqual({ asleep: false, probePaths });
    expect(routing(1, []).wake).toEqual({ asleep: false, probePaths });
  });

  it('lets requests wait for a whole start while nobody serves', () => {
    const waitMs = (...[desired, instances]: Parameters<typeof routing>) =>
      routing(desired, instances).admission.queueMs;
    expect(waitMs(0, [])).toBe(queueMs + 20_000);
    expect(waitMs(1, [instance('pending')])).toBe(queueMs + 20_000);
    expect(waitMs(1, [instance('in-service')])).toBe(queueMs);
  });

  it('lets them wait as long for a release that sleeps no more, while it starts out of sleep', () => {
    const sleeping = { ...environment, asleep: { since: 0, desired: 1 } };
    const rule = routing(1, [instance('pending')], { idleMs: null }, sleeping);
    expect(rule.admission.queueMs).toBe(queueMs + 20_000);
  });

  it('is none for one that never sleeps, nor for an address that Belay did not start', () => {
    expect(routing(0, [], { idleMs: null })).toMatchObject({ wake: null, admission: { queueMs } });
    expect(routing(0, [], { upstream: 'http://127.0.0.1:9' }).wake).toBeNull();
  });
});

it('sends traffic to whoever passes its check first, while nobody serves', () => {
  const weights = (...instances: RoutedInstance[]) =>
    routing(1, instances).forward.map(({ weight }) => weight);
  expect(weights(instance('pending'))).toEqual([1]);
  expect(weights(instance('pending'), { ...instance('in-service'), id: 'i-2' })).toEqual([1]);
  expect(weights(instance('draining'))).toEqual([0]);
});
