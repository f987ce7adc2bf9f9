import { expect, it, describe as suite } from 'vitest';
import type { Target } from '../../model/snapshot.ts';
import {
  type CheckResult,
  describe,
  type HealthRecord,
  register,
  standbyHealth,
  withResult,
  withState,
} from './health.ts';

const thresholds = { healthyThreshold: 2, unhealthyThreshold: 3 };
const pass: CheckResult = { passed: true };
const fail: CheckResult = {
  passed: false,
  reason: 'Target.ResponseCodeMismatch',
  description: 'answered 500 to GET /healthz',
};

/** `+` a passed check, `-` a failed one, a name a change of routing state. */
type Happening = '+' | '-' | Target['state'];

function after(initial: Target['state'], ...happenings: Happening[]): HealthRecord {
  let now = 0;
  return happenings.reduce(
    (record, happening) => {
      now += 1;
      if (happening === '+') return withResult(record, pass, thresholds, 'test', now);
      if (happening === '-') return withResult(record, fail, thresholds, 'test', now);
      return withState(record, happening, 'test', now);
    },
    register(initial, now),
  );
}

suite('the health of a target', () => {
  const table: [string, HealthRecord, string][] = [
    ['is initial before its first check', after('active'), 'initial'],
    ['is healthy after one pass when it is new', after('active', '+'), 'healthy'],
    ['stays initial however often it fails', after('active', '-', '-', '-', '-'), 'initial'],
    ['is admitted by a pass after failures', after('active', '-', '-', '+'), 'healthy'],
    ['stays healthy below the threshold', after('active', '+', '-', '-'), 'healthy'],
    ['is unhealthy at the threshold', after('active', '+', '-', '-', '-'), 'unhealthy'],
    ['counts consecutive failures only', after('active', '+', '-', '-', '+', '-'), 'healthy'],
    ['needs its passes to recover', after('active', '+', '-', '-', '-', '+'), 'unhealthy'],
    ['recovers at the threshold', after('active', '+', '-', '-', '-', '+', '+'), 'healthy'],
    [
      'counts consecutive passes only',
      after('active', '+', '-', '-', '-', '+', '-', '+'),
      'unhealthy',
    ],
    ['is unused on standby whatever its checks say', after('standby', '+', '-'), 'unused'],
    ['is draining whatever it was', after('active', '+', 'draining'), 'draining'],
    ['ignores late results while it drains', after('active', 'draining', '+'), 'draining'],
    [
      'is healthy at once back from draining',
      after('active', '+', 'draining', 'active'),
      'healthy',
    ],
    ['is healthy at once from a standby that passed', after('standby', '+', 'active'), 'healthy'],
    ['is initial from a standby that did not', after('standby', '-', 'active'), 'initial'],
    ['is initial again if it drained unadmitted', after('active', 'draining', 'active'), 'initial'],
    [
      'is unhealthy still, back from draining',
      after('active', '+', '-', '-', '-', 'draining', 'active'),
      'unhealthy',
    ],
    ['may go from standby to draining', after('standby', 'draining'), 'draining'],
    ['may go from draining to standby', after('active', '+', 'draining', 'standby'), 'unused'],
  ];
  it.each(table)('%s', (_name, record, health) => {
    expect(record.health).toBe(health);
    expect(describe(record).health).toBe(health);
  });

  it('survives every pair of happenings from every state', () => {
    const happenings: Happening[] = ['+', '-', 'active', 'standby', 'draining'];
    for (const start of ['active', 'standby', 'draining'] as const) {
      for (const path of paths(happenings, 4)) expect(() => after(start, ...path)).not.toThrow();
    }
  });

  it('never shows initial once it was admitted', () => {
    for (const path of paths(['+', '-', 'active', 'standby', 'draining'], 4)) {
      expect(after('active', '+', ...path).health).not.toBe('initial');
    }
  });

  it('is admitted by its first pass, for good', () => {
    expect(after('active', '-').admitted).toBe(false);
    expect(after('active', '+', '-', '-', '-', 'draining').admitted).toBe(true);
  });

  it('keeps the time when its health changed, not that of its last check', () => {
    expect(after('active', '+', '+', '+').since).toBe(1);
    expect(after('active', '+', '-', '-', '-', '-').since).toBe(4);
  });
});

suite('a target on standby', () => {
  it.each([
    [after('standby'), { condition: 'initial', since: 0 }],
    [after('standby', '-', '-'), { condition: 'initial', since: 0 }],
    [after('standby', '-', '+', '+'), { condition: 'healthy', since: 2 }],
    [after('standby', '+', '-', '-', '-', '-'), { condition: 'unhealthy', since: 4 }],
    [after('active', '+', 'standby'), { condition: 'healthy', since: 1 }],
    [after('standby', '+', 'active'), undefined],
    [after('standby', '+', 'draining'), undefined],
  ])('%# tells what its checks say', (record, standby) => {
    expect(standbyHealth(record)).toEqual(standby);
  });
});

suite('the description of a health', () => {
  it.each([
    [after('active'), 'Elb.RegistrationInProgress', 'not checked yet'],
    [after('active', '-'), 'Elb.InitialHealthChecking', 'answered 500 to GET /healthz'],
    [after('active', '+', '-'), null, ''],
    [
      after('active', '+', '-', '-', '-'),
      'Target.ResponseCodeMismatch',
      'answered 500 to GET /healthz',
    ],
    [
      after('active', '+', 'draining'),
      'Target.DeregistrationInProgress',
      'finishes what it has, takes nothing new',
    ],
    [after('standby'), 'Target.NotInUse', 'standing by, not checked yet'],
    [after('standby', '+'), 'Target.NotInUse', 'standing by'],
    [after('standby', '-'), 'Target.NotInUse', 'standing by; answered 500 to GET /healthz'],
  ])('%# says why', (record, reason, description) => {
    expect(describe(record)).toMatchObject({ reason, description });
  });
});

function paths(happenings: Happening[], length: number): Happening[][] {
  if (length === 0) return [[]];
  return paths(happenings, length - 1).flatMap((path) =>
    happenings.map((happening) => [...path, happening]),
  );
}
