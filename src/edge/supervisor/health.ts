import type { HealthCheck } from '../../model/configuration.ts';
import type { Target } from '../../model/snapshot.ts';
import {
  type StandbyHealth,
  type TargetHealth,
  type TargetReason,
  targetMachine,
} from '../../model/target.ts';

/**
 * The health of one target, decided from its routing state and the results of its checks. Pure.
 *
 * Beneath what is shown lies its condition, which follows the checks alone:
 *
 *   initial → healthy ⇄ unhealthy
 *
 * An active target shows its condition; a standby one shows `unused` and a draining one `draining`
 * whatever it is. So a target that was healthy and comes back from either is healthy at once.
 */

export type Condition = StandbyHealth['condition'];

export type CheckResult =
  | { passed: true }
  | { passed: false; reason: TargetReason; description: string };

export interface HealthRecord {
  state: Target['state'];
  condition: Condition;
  conditionSince: number;
  /** What the last failed check said; null when the condition is not the work of failures. */
  failure: { reason: TargetReason; description: string } | null;
  /** Consecutive results that contradict the condition. */
  streak: number;
  /** It has been checked at least once. */
  checked: boolean;
  /** It has been healthy once. */
  admitted: boolean;
  health: TargetHealth;
  since: number;
}

export interface ShownHealth {
  health: TargetHealth;
  reason: TargetReason | null;
  description: string;
}

export function register(state: Target['state'], now: number): HealthRecord {
  return {
    state,
    condition: 'initial',
    conditionSince: now,
    failure: null,
    streak: 0,
    checked: false,
    admitted: false,
    health: healthFor(state, 'initial'),
    since: now,
  };
}

/** The control plane has moved the target to another routing state. */
export function withState(
  record: HealthRecord,
  state: Target['state'],
  subject: string,
  now: number,
): HealthRecord {
  return shown({ ...record, state }, subject, now);
}

/** A check has ended. Draining targets are not checked: a late result changes nothing. */
export function withResult(
  record: HealthRecord,
  result: CheckResult,
  check: Pick<HealthCheck, 'healthyThreshold' | 'unhealthyThreshold'>,
  subject: string,
  now: number,
): HealthRecord {
  if (record.state === 'draining') return record;
  const next = result.passed ? afterPass(record, check) : afterFailure(record, result, check);
  const conditionSince = next.condition === record.condition ? record.conditionSince : now;
  return shown({ ...next, checked: true, conditionSince }, subject, now);
}

/** Nothing for a target that is not on standby: what it shows says it all. */
export function standbyHealth(record: HealthRecord): StandbyHealth | undefined {
  const { state, condition, conditionSince } = record;
  return state === 'standby' ? { condition, since: conditionSince } : undefined;
}

/** What to tell people: ALB's reason code and a sentence. */
export function describe(record: HealthRecord): ShownHealth {
  const { health } = record;
  switch (health) {
    case 'healthy':
      return { health, reason: null, description: '' };
    case 'draining':
      return {
        health,
        reason: 'Target.DeregistrationInProgress',
        description: 'finishes what it has, takes nothing new',
      };
    case 'unused':
      return { health, reason: 'Target.NotInUse', description: standbyDescription(record) };
    case 'initial':
      return record.checked
        ? {
            health,
            reason: 'Elb.InitialHealthChecking',
            description: record.failure?.description ?? 'has not passed a check yet',
          }
        : { health, reason: 'Elb.RegistrationInProgress', description: 'not checked yet' };
    case 'unhealthy':
      return {
        health,
        reason: record.failure?.reason ?? 'Target.FailedHealthChecks',
        description: record.failure?.description ?? 'failed its health checks',
      };
  }
}

function afterPass(
  record: HealthRecord,
  check: Pick<HealthCheck, 'healthyThreshold'>,
): HealthRecord {
  const healthy = { ...record, condition: 'healthy' as const, streak: 0, failure: null };
  switch (record.condition) {
    case 'initial':
      // ALB: one pass admits a new target.
      return { ...healthy, admitted: true };
    case 'healthy':
      return healthy;
    case 'unhealthy': {
      const streak = record.streak + 1;
      return streak >= check.healthyThreshold ? healthy : { ...record, streak };
    }
  }
}

function afterFailure(
  record: HealthRecord,
  { reason, description }: { reason: TargetReason; description: string },
  check: Pick<HealthCheck, 'unhealthyThreshold'>,
): HealthRecord {
  const failure = { reason, description };
  if (record.condition !== 'healthy') return { ...record, streak: 0, failure };
  const streak = record.streak + 1;
  return streak >= check.unhealthyThreshold
    ? { ...record, condition: 'unhealthy', streak: 0, failure }
    : { ...record, streak };
}

/** The one place where the health that is shown changes. */
function shown(record: HealthRecord, subject: string, now: number): HealthRecord {
  const health = healthFor(record.state, record.condition);
  if (health === record.health) return record;
  // One that drained before it was ever admitted has left the pool, and registers anew.
  const from =
    record.health === 'draining' && health === 'initial'
      ? targetMachine.move(subject, record.health, 'unused')
      : record.health;
  return { ...record, health: targetMachine.move(subject, from, health), since: now };
}

function healthFor(state: Target['state'], condition: Condition): TargetHealth {
  if (state === 'standby') return 'unused';
  if (state === 'draining') return 'draining';
  return condition;
}

function standbyDescription({ condition, failure }: HealthRecord): string {
  if (condition === 'healthy') return 'standing by';
  return failure === null ? 'standing by, not checked yet' : `standing by; ${failure.description}`;
}
