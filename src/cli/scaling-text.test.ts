import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NO_SCALING } from '../model/scaling.ts';
import type { ScalingRecord } from '../model/scaling-decision.ts';
import type { ScalingView } from '../model/scaling-view.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { environmentOf, NOW } from './scripted-views.ts';

let daemon: ScriptedDaemon;

const trackCpu = {
  policy: 'track cpu 60%',
  wants: 4,
  mayShrink: false,
  why: '210% of CPU now, 214% of CPU expected in 2.6 s and 12% of CPU kept free, at 60% each: 4 instances',
};
const morning = {
  policy: 'cron 0 9 * * 1-5',
  wants: null,
  mayShrink: true,
  why: 'min 3 until Fri 18:00 Europe/Berlin',
};

const recordOf = (fields: Partial<ScalingRecord> = {}): ScalingRecord => ({
  at: NOW - 120_000,
  since: NOW - 120_000,
  count: 1,
  from: 3,
  to: 4,
  min: 3,
  max: 6,
  reason: `1 more: ${trackCpu.policy}: ${trackCpu.why}`,
  opinions: [trackCpu, morning],
  capacity: { min: 1, desired: 3, max: 6 },
  fleet: { inService: 3, healthy: 3, starting: 0, isProtected: 1 },
  measured: {
    at: NOW - 120_000,
    instances: 3,
    cpuPercent: 210,
    requestsPerMinute: 12_345.6,
    concurrency: 7.25,
    p99Ms: 81.234,
    reported: { orders: 12 },
  },
  bootMs: 600,
  deploying: false,
  ...fields,
});

const calm = recordOf({
  at: NOW - 1_000,
  since: NOW - 118_000,
  count: 59,
  from: 4,
  reason: `stays at 4: ${trackCpu.policy}: ${trackCpu.why}`,
  measured: null,
  deploying: true,
});

const viewOf = (fields: Partial<ScalingView> = {}): ScalingView => ({
  application: 'shop',
  environment: 'production',
  capacity: { min: 1, desired: 4, max: 6 },
  min: 3,
  max: 6,
  inService: 4,
  scaling: {
    ...NO_SCALING,
    policies: [{ kind: 'track', metric: 'cpu', source: null, target: 60, scaleIn: true }],
  },
  decisions: [calm, recordOf()],
  next: { change: { at: NOW + 190_000, to: 3, reason: '1 fewer: why' }, until: NOW + 1_800_000 },
  ...fields,
});

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    environment: environmentOf(),
    scaling: viewOf(),
  });
  await daemon.start();
});
afterEach(() => daemon.close());

const glance = (wants: number | null) => {
  const { at, since, from, to, reason } = calm;
  const opinions = [{ ...trackCpu, wants }, morning];
  return { min: 3, max: 6, decision: { at, since, from, to, reason, opinions } };
};

describe('scale --explain', () => {
  test('tells what is wanted and why, what was decided, and what comes next', async () => {
    const { code, out } = await belay(daemon, ['scale', '--explain']);
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "shop/production  4 desired, 4 in service, 3 to 6 allowed
        A schedule sets 3 to 6 now; without it, 1 to 6 are allowed.

      Policies  out if any wants more, in only if all agree
        POLICY            WANTS  BECAUSE
        track cpu 60%         4  210% of CPU now, 214% of CPU expected in 2.6 s and 12% of CPU kept free, at 60% each: 4 instances
        cron 0 9 * * 1-5      –  min 3 until Fri 18:00 Europe/Berlin

      Decisions
        2026-01-31 11:58:02Z  stays at 4: track cpu 60%: 210% of CPU now, 214% of CPU expected in 2.6 s and 12% of CPU kept free, at 60% each: 4 instances; until now, 59 times in 1 m 57 s
          nothing measured; 3 in service, 3 healthy, 1 protected, a deployment is under way
        2026-01-31 11:58:00Z  3 → 4  1 more: track cpu 60%: 210% of CPU now, 214% of CPU expected in 2.6 s and 12% of CPU kept free, at 60% each: 4 instances
          CPU 70 % each, 12,346 requests/min, 7.3 inside, p99 81.2 ms, orders 12; 3 in service, 3 healthy, 1 protected

      Next
        If the load stays as it is, 4 → 3 in 3 m 10 s, at 2026-01-31 12:03:10Z: 1 fewer: why
        stabilization 5m, no fewer while less than 90 % are healthy
      "
    `);
  });

  test('says how to begin where no policy has a say', async () => {
    daemon.script.scaling = viewOf({ scaling: NO_SCALING, decisions: [], min: 1, next: null });
    const { out } = await belay(daemon, ['scale', '--explain']);
    expect(out).toMatchInlineSnapshot(`
      "shop/production  4 desired, 4 in service, 1 to 6 allowed
        No policy has a say: it stays as it is set. To let it follow the load, write in belay.config.ts:
        web: { scaling: [track.cpu(60)] }
      "
    `);
  });

  test('asks for as many decisions as are wanted, and gives them as they are', async () => {
    const { out } = await belay(daemon, ['scale', '--explain', '--limit', '7', '--json']);
    expect(JSON.parse(out)).toEqual(viewOf());
    expect(daemon.asked.find(({ route }) => route === 'scaling')).toBeDefined();
  });

  test.each([
    [['scale', '3', '--explain']],
    [['scale', '--min', '2', '--explain']],
    [['scale', '3', '--limit', '2']],
    [['scale', '--explain', '--limit', '0']],
  ])('%j is refused', async (argv) => {
    expect((await belay(daemon, argv)).code).toBe(64);
  });
});

describe('status', () => {
  test.each([
    [4, 'stays at 4: track cpu 60% wants 4'],
    [3, 'stays at 4 for now: track cpu 60% wants 3'],
    [2, 'at min 3: track cpu 60% wants 2'],
    [9, 'at max 6, and track cpu 60% wants 9'],
    [null, calm.reason],
  ])('where %j are wanted, says so in a line', async (wants, line) => {
    daemon.script.environments = {
      environments: [environmentOf({ scaling: glance(wants) })],
    };
    const { out } = await belay(daemon, ['status']);
    expect(out).toContain(`scaling     ${line}\n`);
    expect(out).toContain('2 of 2 in service, 3 to 6 allowed\n');
  });

  test('tells of no numbers while nothing runs that could have any', async () => {
    const asleep = environmentOf({ scaling: glance(null), asleepSince: NOW });
    daemon.script.environments = { environments: [asleep] };
    const { out } = await belay(daemon, ['status']);
    expect(out).toContain('scaling     by policies, once somebody wants it\n');
  });
});

test('scaling by hand says that policies carry on from there', async () => {
  const view = environmentOf({ scaling: glance(4) });
  daemon.script.scale = view;
  daemon.script.environment = view;
  const { out } = await belay(daemon, ['scale', '2']);
  expect(out).toContain('Policies carry on from there; see them with: belay scale --explain');
});
