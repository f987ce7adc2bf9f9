import type { Environment, EnvironmentKey } from '../../model/environment.ts';
import type { Instance } from '../../model/instance.ts';
import type { Release } from '../../model/release.ts';
import type { ScalingPolicy } from '../../model/scaling.ts';
import type { ScalingMemory } from '../../model/scaling-decision.ts';
import { poolId } from '../../model/snapshot.ts';
import type { MetricPoint, ScalingFleet, ScalingInput } from '../../plan/scaling/scaling.ts';
import { poolSize } from '../../plan/warm-pool.ts';
import type { EdgeView } from '../edge-view.ts';
import { goalNumber } from '../observe.ts';
import type { Records } from '../records.ts';

/** Puts together what a decision on capacity is made from. */

/**
 * As they are measured: a leap of the load shows whole in the newest, and an instance that has become
 * too busy is not taken for one that is half as busy, because the moment before was calm.
 */
const POINT_MS = 1_000;
/** Of an app of which no instance has come up yet: a program that reads its code and connects. */
const UNKNOWN_BOOT_MS = 10_000;
/** Of one that was kept warm: a snapshot that every worker acknowledges, on a busy machine. */
const FLIP_MS = 200;

/** What was measured of environments. */
export interface MeasuredGroups {
  /** Of the last minutes, oldest first. */
  points(key: EnvironmentKey, periodMs: number): readonly MetricPoint[];
  /** By the minute, of the last weeks, oldest first. */
  history(key: EnvironmentKey): readonly MetricPoint[];
}

export interface ScalingInputParts {
  records: Records;
  view: EdgeView;
  metrics: MeasuredGroups;
}

/** The release whose policies count; null: there is nothing to decide. */
export function scaledRelease(environment: Environment, records: Records): Release | null {
  const { key, status } = environment;
  if (status === 'terminating' || status === 'terminated') return null;
  const goal = goalNumber(environment, records);
  const release = goal === null ? undefined : records.release(key, goal);
  if (!release || release.configuration.web.upstream !== null) return null;
  return release.configuration.web.scaling.policies.length === 0 ? null : release;
}

export function scalingInput(
  { key, capacity }: Environment,
  release: Release,
  memory: ScalingMemory,
  now: number,
  { records, view, metrics }: ScalingInputParts,
): ScalingInput {
  const instances = records.instances(key);
  const { scaling } = release.configuration.web;
  return {
    now,
    periodMs: POINT_MS,
    capacity,
    scaling,
    fleet: fleetNow(instances, view),
    bootMs: isPoolFull(instances, release, capacity.desired) ? FLIP_MS : bootMsOf(instances),
    // What nobody runs is woken by the edge, the calendar or by hand, not by who asks in vain.
    points: capacity.desired === 0 ? [] : metrics.points(key, POINT_MS),
    history: scaling.policies.some(asksThePast) ? metrics.history(key) : [],
    memory: afterWaits(memory, instances, now),
    deploying: records.runningDeployment(key) !== null,
  };
}

/** Of the days before: when the load grows, or what load instances have borne. */
const asksThePast = (policy: ScalingPolicy): boolean =>
  policy.kind === 'predict' || (policy.kind === 'track' && policy.metric === 'p99');

function fleetNow(instances: readonly Instance[], view: EdgeView): ScalingFleet {
  const inService = instances.filter(({ state }) => state === 'in-service');
  const passes = ({ environment, release, id }: Instance): boolean =>
    view.target(poolId(environment, release), id)?.health === 'healthy';
  return {
    inService: inService.length,
    healthy: inService.filter(passes).length,
    starting: instances.filter(({ state, warming }) => state === 'pending' && !warming).length,
    isProtected: inService.filter(({ isProtected }) => isProtected).length,
  };
}

/** A scale-out is over when what waits for somebody's word has come into service. */
function afterWaits(
  memory: ScalingMemory,
  instances: readonly Instance[],
  now: number,
): ScalingMemory {
  if (memory.lastOutAt === null) return memory;
  const endsAt = instances
    .filter(({ wait, warming }) => wait?.turn === 'launching' && !warming)
    .map(({ inServiceAt }) => inServiceAt ?? now);
  return { ...memory, lastOutAt: Math.max(memory.lastOutAt, ...endsAt) };
}

/**
 * While the warm pool is full, what is added serves at once; while it fills again, what comes after
 * those that are left is a boot away.
 */
function isPoolFull(
  instances: readonly Instance[],
  { number, configuration }: Release,
  desired: number,
): boolean {
  const size = poolSize(configuration.web.group, desired);
  const warm = instances.filter(({ state, release }) => state === 'warmed' && release === number);
  return size > 0 && warm.length >= size;
}

/** As it took those that are there: the middle of them, so that one slow start says little. */
function bootMsOf(instances: readonly Instance[]): number {
  const tookMs = instances.flatMap(({ createdAt, inServiceAt, warming, passedAt }) => {
    const upAt = warming ? passedAt : inServiceAt;
    return typeof upAt === 'number' ? [upAt - createdAt] : [];
  });
  return tookMs.sort((a, b) => a - b)[Math.floor(tookMs.length / 2)] ?? UNKNOWN_BOOT_MS;
}
