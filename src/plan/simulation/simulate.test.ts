import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountOf } from './account.ts';
import { type Known, type Rule, type RuleName, ruleNames, type Setting } from './rule.ts';
import { aws } from './rules/aws.ts';
import { hpa } from './rules/hpa.ts';
import { knative } from './rules/knative.ts';
import { ruleNamed } from './rules/rules.ts';
import { type SimulatedMinute, simulate } from './simulate.ts';
import { MINUTE_MS, type Trace } from './trace.ts';

const setting: Setting = { unit: 100, min: 2, max: 1_000, bootMs: MINUTE_MS };

const traceOf = (...requests: number[]): Trace => ({ startAt: 0, requests });

/** Wants these numbers, one after the other, and then the last of them. */
function wanting(...numbers: number[]): Rule {
  let minute = 0;
  return {
    name: 'aws',
    decide() {
      const desired = numbers[Math.min(minute, numbers.length - 1)] ?? 0;
      minute += 1;
      return { desired, reason: 'it was told to' };
    },
  };
}

const servingIn = (trace: Trace, rule: Rule, changed: Partial<Setting> = {}): number[] =>
  [...simulate(trace, { ...setting, ...changed }, rule)].map(({ serving }) => serving);

describe('a simulation', () => {
  it('counts what was launched at the end of minute t from minute t+2 on, at 60 s to boot', () => {
    expect(servingIn(traceOf(0, 0, 0, 0), wanting(5))).toEqual([2, 2, 5, 5]);
  });

  it.each([
    { bootMs: 0, serving: [2, 5, 5, 5, 5] },
    { bootMs: 30_000, serving: [2, 2, 5, 5, 5] },
    { bootMs: 61_000, serving: [2, 2, 2, 5, 5] },
    { bootMs: 180_000, serving: [2, 2, 2, 2, 5] },
  ])('counts an instance that boots in $bootMs ms for whole minutes', ({ bootMs, serving }) => {
    expect(servingIn(traceOf(0, 0, 0, 0, 0), wanting(5), { bootMs })).toEqual(serving);
  });

  it('takes away at once what is no longer desired', () => {
    expect(servingIn(traceOf(500, 0, 0), wanting(5, 3))).toEqual([5, 5, 3]);
  });

  it('begins with what the first minute needs', () => {
    expect(servingIn(traceOf(750), wanting(2))).toEqual([8]);
    expect(servingIn(traceOf(1), wanting(2))).toEqual([2]);
    expect(servingIn(traceOf(750), wanting(2), { max: 4 })).toEqual([4]);
  });

  it('keeps what a rule wants within its bounds', () => {
    expect(servingIn(traceOf(0, 0, 0, 0), wanting(9, 9, 0), { max: 6 })).toEqual([2, 2, 6, 2]);
  });

  it('pays for an instance from its launch on, and not after its end', () => {
    const minutes = [...simulate(traceOf(0, 0, 0, 0), setting, wanting(5, 5, 2))];
    expect(minutes.map(({ instanceMinutes }) => instanceMinutes)).toEqual([2, 5, 5, 2]);
  });

  it('tells a rule what was known at the end of the minute, and no more', () => {
    const known: Known[] = [];
    const rule: Rule = {
      name: 'aws',
      decide(now) {
        known.push(now);
        return { desired: 4, reason: '' };
      },
    };
    expect([...simulate(traceOf(10, 20, 30), setting, rule)]).toHaveLength(3);
    expect(known.map(({ now, requests }) => [now, requests])).toEqual([
      [60_000, 10],
      [120_000, 20],
      [180_000, 30],
    ]);
    expect(known.map(({ serving, fleet }) => [serving, fleet.inService, fleet.starting])).toEqual([
      [2, 2, 0],
      [2, 4, 0],
      [4, 4, 0],
    ]);
  });

  it('comes to the account that one adds up by hand', () => {
    // 2, 2, 5 and 5 serve; the second minute is short by one, the last by a request.
    const trace = traceOf(200, 300, 500, 501);
    expect(accountOf('aws', simulate(trace, setting, wanting(5)), setting)).toEqual({
      rule: 'aws',
      minutes: 4,
      minutesShort: 2,
      instanceMinutes: 2 + 5 + 5 + 5,
      oracleInstanceMinutes: 2 + 3 + 5 + 6,
      costRatio: 1.063,
      actions: 1,
    });
  });

  it('never goes below min, and never costs less than an oracle without being short', () => {
    const loads = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 60 });
    const settings = fc.record({
      unit: fc.integer({ min: 50, max: 1_000 }),
      min: fc.integer({ min: 1, max: 4 }),
      max: fc.constant(100),
      bootMs: fc.integer({ min: 0, max: 300_000 }),
    });
    fc.assert(
      fc.property(loads, settings, fc.constantFrom(...ruleNames), (requests, given, rule) => {
        const minutes = [...simulate(traceOf(...requests), given, ruleNamed(rule, given))];
        const account = accountOf('aws', minutes, given);
        expect(minutes.every(({ serving }) => serving >= given.min)).toBe(true);
        if (account.minutesShort > 0) return;
        expect(account.instanceMinutes).toBeGreaterThanOrEqual(account.oracleInstanceMinutes);
      }),
      { numRuns: 200 },
    );
  });

  it('comes to the same however often it is run', () => {
    const trace = recorded('worldcup98-1998-06-30-24h');
    const once = accountOf('hpa', simulate(trace, real, hpa(real)), real);
    expect(accountOf('hpa', simulate(trace, real, hpa(real)), real)).toEqual(once);
  });
});

describe('our own rule', () => {
  it.each([
    ['belay', 'worldcup98-1998-06-30-24h', 0, 1.25],
    ['belay-predict', 'worldcup98-1998-06-30-24h', 0, 1.25],
  ] as const)('%s is never short on %s, and costs little', (name, trace, short, most) => {
    judge(name, trace, short, most);
  });

  it.skipIf(!process.env.BELAY_NIGHTLY).each([
    ['belay', 'worldcup98-per-minute', 8, 1.12],
    ['belay-predict', 'worldcup98-per-minute', 8, 1.12],
  ] as const)(
    '%s is seldom short on %s, and costs little',
    (name, trace, short, most) => {
      judge(name, trace, short, most);
    },
    300_000,
  );

  function judge(name: RuleName, trace: string, mostShort: number, mostCost: number): void {
    const minutes = simulate(recorded(trace), real, ruleNamed(name, real));
    const { minutesShort, costRatio, actions } = accountOf(name, minutes, real);
    expect(minutesShort).toBeLessThanOrEqual(mostShort);
    expect(costRatio).toBeLessThanOrEqual(mostCost);
    expect(actions).toBeLessThan(1_500);
  }
});

describe('target tracking as AWS does it', () => {
  const desiredUnder = (requests: number[]): number[] =>
    [...simulate(traceOf(...requests), setting, aws(setting))].map(decidedIn);

  it('goes out after three minutes above the target, to be at it', () => {
    expect(desiredUnder([121, 121, 0, 121, 121, 150])).toEqual([2, 2, 2, 2, 2, 3]);
  });

  it('goes in after fifteen minutes below the lower line, once each fifteen', () => {
    const busy = [600, 600, 600];
    const quiet = Array.from({ length: 31 }, () => 100);
    const desired = desiredUnder([...busy, ...quiet]);
    expect(desired[2]).toBe(10);
    expect(desired.indexOf(2)).toBe(3 + 14);
  });

  it.each([
    { name: 'worldcup98-1998-06-30-24h', minutesShort: 0, costRatio: 1.692 },
    { name: 'worldcup98-per-minute', minutesShort: 8, costRatio: 1.259 },
  ])('comes to $minutesShort minutes short at $costRatio × on $name', (expected) => {
    const account = accountOf('aws', simulate(recorded(expected.name), real, aws(real)), real);
    const { minutesShort, costRatio } = expected;
    expect(account).toMatchObject({ minutesShort, costRatio });
  });
});

describe('the autoscaler of Kubernetes', () => {
  it('leaves alone what is within a tenth of the target, and goes to it at once beyond', () => {
    const desired = [...simulate(traceOf(131, 133), setting, hpa(setting))].map(decidedIn);
    expect(desired).toEqual([2, 3]);
  });

  it('goes in no lower than anything it recommended in five minutes', () => {
    const requests = [600, ...Array.from({ length: 8 }, () => 60)];
    const desired = [...simulate(traceOf(...requests), setting, hpa(setting))].map(decidedIn);
    expect(desired).toEqual([10, 10, 10, 10, 10, 2, 2, 2, 2]);
  });

  it('does not count pods that have not served yet as busy', () => {
    const known = { now: 0, requests: 200, serving: 2, desired: 4 };
    const fleet = { inService: 4, healthy: 4, starting: 0, isProtected: 0 };
    expect(hpa(setting).decide({ ...known, fleet }).desired).toBe(4);
  });
});

describe('the autoscaler of Knative', () => {
  it('follows the last minute both ways', () => {
    const desired = [...simulate(traceOf(140, 210, 140), setting, knative(setting))].map(decidedIn);
    expect(desired).toEqual([2, 3, 2]);
  });

  it('takes nothing away for a stable window after twice as much came as the pods can take', () => {
    const requests = [140, 700, 70, 70, 70];
    const desired = [...simulate(traceOf(...requests), setting, knative(setting))].map(decidedIn);
    expect(desired).toEqual([2, 10, 10, 2, 2]);
  });
});

const real: Setting = { unit: 10_000, min: 2, max: 10_000, bootMs: MINUTE_MS };

const decidedIn = ({ decided }: SimulatedMinute): number => decided;

function recorded(name: string): Trace {
  const file = join(import.meta.dirname, '../../../bench/data', `${name}.csv.gz`);
  const rows = gunzipSync(readFileSync(file)).toString().trim().split('\n').slice(1);
  const first = rows[0]?.split(',')[0] ?? '';
  return {
    startAt: Date.parse(`${first}Z`),
    requests: rows.map((row) => Number(row.split(',')[1])),
  };
}
