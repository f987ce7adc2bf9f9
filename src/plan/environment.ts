import type { Deployment } from '../model/deployment.ts';
import { isPreparing } from '../model/hook.ts';
import type { Step } from '../model/step.ts';
import { analyse } from './analysis.ts';
import { type Backoff, backoffOf } from './backoff.ts';
import { deeplySickAt, type Fleet, fleetOf, sickAt, startProblem } from './fleet.ts';
import { planHooks } from './hooks.ts';
import { judge } from './judgement.ts';
import { leavingStep } from './leaving.ts';
import { afterFirstPass, hasComeUp, patienceEndsAt } from './lifecycle-waits.ts';
import type { Observation, ObservedInstance, ReleaseNeeds } from './observation.ts';
import { countByZone, emptiestZone, preferenceOf, zoneForLaunch } from './placement.ts';
import { rebalance } from './rebalance.ts';
import { policies } from './rollout/policies.ts';
import { Wakes } from './wakes.ts';
import { planWarmPool } from './warm-pool.ts';

/**
 * What to do about one environment now: its whole desired state against its whole observed state.
 * Pure and level-based: asked again after a crash, it carries on; asked about a converged
 * environment, it plans nothing.
 */
export interface Plan {
  steps: Step[];
  /**
   * Time alone will change the plan at this moment; null when only an event will, the end of one of
   * the steps among them.
   */
  wakeAt: number | null;
}

export function planEnvironment(
  observation: Observation,
  now: number,
  newInstanceId: () => string,
): Plan {
  const facts = recordFacts(observation, now);
  if (facts.length > 0) return { steps: facts, wakeAt: null };

  const hooks = planHooks(observation, now);
  if (hooks.step) return { steps: [hooks.step], wakeAt: null };

  const judgement = judge(observation, now);
  if (judgement.step) return { steps: [judgement.step], wakeAt: null };

  const wakes = new Wakes(now);
  wakes.at(hooks.wakeAt);
  wakes.at(judgement.wakeAt);
  const steps = planFleet(untilPrepared(observation), now, newInstanceId, wakes);
  return { steps, wakeAt: wakes.earliest };
}

/** While a deployment is being prepared, the environment is as it was, and is healed as at rest. */
export function untilPrepared(observation: Observation): Observation {
  const { deployment, environment } = observation;
  if (!deployment || !isPreparing(deployment)) return observation;
  const before = { ...environment, capacity: deployment.capacityBefore };
  return { ...observation, deployment: null, environment: before };
}

/** What the instances need. */
function planFleet(
  observation: Observation,
  now: number,
  newInstanceId: () => string,
  wakes: Wakes,
): Step[] {
  const goal = goalOf(observation);
  const fleet = fleetOf(observation.instances, goal, now);
  for (const each of observation.instances) wakes.at(patienceEndsAt(each, observation));
  const moves =
    goal && !goal.upstream
      ? followPolicy(observation, fleet, goal, now, newInstanceId, wakes)
      : retireAll(fleet, observation, goal);
  const returning = new Set(moves.filter(({ kind }) => kind === 'admit').map(instanceOf));
  return [
    ...dismissStrays(fleet, observation, now),
    ...dismissOverdue(fleet, observation, now, wakes),
    ...[...fleet.leaving, ...fleet.aside, ...fleet.warm]
      .filter(({ id }) => !returning.has(id))
      .flatMap((instance) => leavingStep(instance, observation, goal, now, wakes) ?? []),
    ...moves,
  ];
}

/** The release the environment moves to; null when it is to have none. */
export function goalOf(observation: Observation): ReleaseNeeds | null {
  const { environment, deployment, releases } = observation;
  if (environment.status === 'terminating' || environment.status === 'terminated') return null;
  const number = deployment ? destination(deployment) : environment.release;
  return number === null ? null : (releases.get(number) ?? null);
}

const destination = (deployment: Deployment): number | null =>
  deployment.state === 'rolling-back' ? deployment.from : deployment.to;

/** What has happened and is not yet on record: deaths, first passed checks, what they waited for. */
function recordFacts(observation: Observation, now: number): Step[] {
  const steps: Step[] = [];
  for (const instance of observation.instances) {
    const cause = deathOf(instance);
    if (cause !== null) {
      steps.push({ kind: 'bury', instance: instance.id, reason: cause });
    } else if (instance.state === 'pending' && hasComeUp(instance)) {
      const step = afterFirstPass(instance, observation, admission(instance), now);
      if (step) steps.push(step);
    }
  }
  return steps;
}

function admission({ slot }: ObservedInstance): string {
  const bootstrapMs = slot?.bootstrapMs ?? null;
  const bootstrap = bootstrapMs === null ? '' : `; its bootstrap took ${seconds(bootstrapMs)}`;
  return `passed its health check${bootstrap}`;
}

const seconds = (durationMs: number): string => `${(durationMs / 1000).toFixed(1)} s`;

function deathOf({ state, slot }: ObservedInstance): string | null {
  if (state === 'terminating') return slot === null ? 'stopped' : null;
  if (slot === null) return state === 'pending' ? null : 'its slot is gone';
  return slot.running ? null : (slot.exit?.cause ?? 'ended');
}

/** Instances of a release nobody wants that never served. */
function dismissStrays(fleet: Fleet, observation: Observation, now: number): Step[] {
  const strays = fleet.othersStarting.filter(
    (instance) => instance.warming || !isWantedToCompare(instance, observation, now),
  );
  const reason =
    observation.deployment?.state === 'rolling-back'
      ? 'its release is being taken back'
      : 'its release is no longer wanted';
  return strays.map(({ id }) => ({ kind: 'terminate', instance: id, reason }));
}

/** Of the old release, to compare the new one with: while a share is judged, and if it comes up. */
function isWantedToCompare(
  { release, createdAt }: ObservedInstance,
  { deployment, releases }: Observation,
  now: number,
): boolean {
  if (deployment?.state !== 'running' || release !== deployment.from) return false;
  const timeoutMs = releases.get(release)?.rollout.startTimeoutMs ?? 0;
  return (deployment.stage?.percent ?? 0) < 100 && now < createdAt + timeoutMs;
}

/**
 * At rest, an instance that does not become healthy in its time is stopped, so that another can be
 * tried; during a deployment the judgement has already turned it back.
 */
function dismissOverdue(
  fleet: Fleet,
  { releases }: Observation,
  now: number,
  wakes: Wakes,
): Step[] {
  const steps: Step[] = [];
  for (const instance of [...fleet.starting, ...fleet.pool]) {
    if (instance.state !== 'pending' || instance.wait) continue;
    const timeoutMs = releases.get(instance.release)?.rollout.startTimeoutMs ?? 0;
    if (now < instance.createdAt + timeoutMs) {
      wakes.at(instance.createdAt + timeoutMs);
      continue;
    }
    const reason = `not healthy within ${timeoutMs / 1000} s: ${startProblem(instance)}`;
    steps.push({ kind: 'terminate', instance: instance.id, reason, failed: true });
  }
  return steps;
}

function followPolicy(
  observation: Observation,
  fleet: Fleet,
  goal: ReleaseNeeds,
  now: number,
  newInstanceId: () => string,
  wakes: Wakes,
): Step[] {
  // They count from now on: what else is needed is seen when they are back.
  if (fleet.returning.length > 0) return fleet.returning.map(comeBack);
  const desired = observation.environment.capacity.desired;
  const { deployment } = observation;
  const move = policies[goal.rollout.policy]({
    fleet,
    desired,
    rollout: goal.rollout,
    preference: preferenceOf(goal),
    percent: deployment?.stage?.percent ?? 0,
    passed: hasPassed(observation, goal, now),
    returning: deployment?.state === 'rolling-back' || deployment?.kind === 'rollback',
    now,
  });
  wakes.at(move.wakeAt);
  for (const instance of fleet.ready) {
    wakes.at(sickAt(instance, goal));
    wakes.at(deeplySickAt(instance, goal));
  }
  const backoff = backoffOf(observation.failures, goal.number, now);
  const demand = rebalance(observation, fleet, goal, backoff, now) ?? { launch: move.launch };
  const launched = launches(observation, goal, fleet, demand, backoff, newInstanceId, wakes);
  const pool = planWarmPool({
    ...{ observation, goal, fleet, backoff, newInstanceId, now },
    leaving: new Set(move.readmit.map(({ id }) => id)),
    launched: launched.length,
  });
  wakes.at(pool.wakeAt);
  return [
    ...move.readmit.map(
      ({ id, state }): Step => ({
        kind: 'admit',
        instance: id,
        reason: state === 'warmed' ? 'was kept warm' : 'still running: back in service',
      }),
    ),
    ...launched,
    ...pool.steps,
    ...withoutSlot(
      fleet.othersStarting.filter((instance) => isWantedToCompare(instance, observation, now)),
    ),
    ...baselineLaunches(observation, move.launchBaseline ?? 0, newInstanceId),
    ...shifts(observation, goal, move.shift, now),
    ...move.retire.map(
      ({ instance, ...why }): Step => ({ kind: 'retire', instance: instance.id, ...why }),
    ),
  ];
}

const comeBack = ({ id }: ObservedInstance): Step => ({
  kind: 'admit',
  instance: id,
  reason: 'asked back from standby',
});

function launches(
  { environment }: Observation,
  goal: ReleaseNeeds,
  fleet: Fleet,
  demand: { launch: number; reason?: string },
  backoff: Backoff,
  newInstanceId: () => string,
  wakes: Wakes,
): Step[] {
  const warming = fleet.pool.filter(({ state }) => state === 'pending');
  const starting = [...fleet.starting, ...warming];
  const steps = withoutSlot(starting);
  // What is being warmed comes into service when it is up, and was started sooner.
  const missing = Math.max(0, demand.launch - warming.length);
  if (missing > 0 && backoff.until !== null) {
    wakes.at(backoff.until);
    return steps;
  }
  // What is to be replaced leaves its place.
  const live = [...starting, ...fleet.ready];
  const counts = countByZone(live);
  // A crash loop is probed with one instance at a time.
  const allowed = backoff.crashLooping ? Math.min(missing, 1 - starting.length) : missing;
  for (let index = 0; index < allowed; index += 1) {
    const zone = emptiestZone(goal.zones, counts);
    counts.set(zone, (counts.get(zone) ?? 0) + 1);
    const which = `instance ${live.length + index + 1} of ${environment.capacity.desired}`;
    const reason = launchReason(demand.reason ?? which, backoff);
    steps.push({ kind: 'launch', instance: newInstanceId(), release: goal.number, zone, reason });
  }
  return steps;
}

/** On record, and not started: a crash came between the two. */
const withoutSlot = (starting: readonly ObservedInstance[]): Step[] =>
  starting
    .filter(({ slot }) => slot === null)
    .map(({ id, release, zone, reason, warming }) => ({
      kind: 'launch',
      instance: id,
      release,
      zone,
      reason,
      ...(warming && { warm: true }),
    }));

function hasPassed(observation: Observation, goal: ReleaseNeeds, now: number): boolean {
  const { deployment } = observation;
  if (deployment?.state !== 'running') return false;
  return analyse(observation, deployment, goal.rollout, now).verdict === 'pass';
}

/** Instances of the release that is left, for a comparison between equals. */
function baselineLaunches(
  { deployment, releases, instances }: Observation,
  count: number,
  newInstanceId: () => string,
): Step[] {
  const old = deployment?.from == null ? undefined : releases.get(deployment.from);
  if (!old) return [];
  const placed = instances.filter(({ release }) => release === old.number);
  return Array.from({ length: count }, (): Step => {
    const zone = zoneForLaunch(old.zones, placed);
    const reason = 'of the same age as the new release, to compare it with';
    return { kind: 'launch', instance: newInstanceId(), release: old.number, zone, reason };
  });
}

function shifts(
  observation: Observation,
  goal: ReleaseNeeds,
  percent: number | undefined,
  now: number,
): Step[] {
  const { deployment } = observation;
  if (percent === undefined || deployment === null) return [];
  const { reason } = analyse(observation, deployment, goal.rollout, now);
  const why = deployment.stage === null ? 'the first share' : reason;
  return [{ kind: 'shift', percent, reason: why }];
}

function launchReason(why: string, { lastCause }: Backoff): string {
  return lastCause === null ? why : `${why}; the last one ${lastCause}`;
}

/** No instance is wanted: the environment ends, its first release failed, or an address is fixed. */
function retireAll(fleet: Fleet, { fixed }: Observation, goal: ReleaseNeeds | null): Step[] {
  if (goal?.upstream && fixed?.health !== 'healthy') return [];
  const reason = goal ? 'a fixed address takes over' : 'no release is wanted here';
  return [
    ...fleet.starting.map(({ id }): Step => ({ kind: 'terminate', instance: id, reason })),
    ...[...fleet.ready, ...fleet.sick, ...fleet.outgoing, ...fleet.others].map(
      ({ id }): Step => ({ kind: 'retire', instance: id, reason }),
    ),
  ];
}

const instanceOf = (step: Step): string | null => ('instance' in step ? step.instance : null);
