import type { Deployment } from '../model/deployment.ts';
import { isPreparing } from '../model/hook.ts';
import { DRAIN_CLOSE_MS } from '../model/snapshot.ts';
import type { Step } from '../model/step.ts';
import { analyse } from './analysis.ts';
import { type Backoff, backoffOf } from './backoff.ts';
import {
  deeplySickAt,
  type Fleet,
  fleetOf,
  isAside,
  sickAt,
  startProblem,
} from './fleet.ts';
import { planHooks } from './hooks.ts';
import { judge } from './judgement.ts';
import type { Observation, ObservedInstance, ObservedTarget, ReleaseNeeds } from './observation.ts';
import { preferenceOf, zoneForLaunch } from './placement.ts';
import { rebalance } from './rebalance.ts';
import { policies } from './rollout/policies.ts';

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
  const facts = recordFacts(observation);
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

/** What has happened and is not yet on record: deaths and first passed checks. */
function recordFacts({ instances }: Observation): Step[] {
  const steps: Step[] = [];
  for (const instance of instances) {
    const cause = deathOf(instance);
    if (cause !== null) {
      steps.push({ kind: 'bury', instance: instance.id, reason: cause });
    } else if (instance.state === 'pending' && instance.target?.health === 'healthy') {
      steps.push({ kind: 'admit', instance: instance.id, reason: admission(instance) });
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
    (instance) => !isWantedToCompare(instance, observation, now),
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
  for (const instance of fleet.starting) {
    const timeoutMs = releases.get(instance.release)?.rollout.startTimeoutMs ?? 0;
    if (now < instance.createdAt + timeoutMs) {
      wakes.at(instance.createdAt + timeoutMs);
      continue;
    }
    const reason = `not healthy within ${timeoutMs / 1000} s: ${startProblem(instance)}`;
    steps.push({ kind: 'terminate', instance: instance.id, reason });
  }
  return steps;
}

/** Drained instances stop, or stay warm when the policy keeps them; kept ones go when time is up. */
function leavingStep(
  instance: ObservedInstance,
  observation: Observation,
  goal: ReleaseNeeds | null,
  now: number,
  wakes: Wakes,
): Step | null {
  if (instance.state === 'terminating') {
    return { kind: 'terminate', instance: instance.id, reason: instance.reason };
  }
  if (instance.state === 'draining') {
    const drained = drainedReason(instance, observation, now, wakes);
    if (drained === null) return null;
    const kept = isAside(instance, goal) || isKept(instance, observation, goal);
    return { kind: kept ? 'hold' : 'terminate', instance: instance.id, reason: drained };
  }
  if (isAside(instance, goal)) return null;
  const keepUntil = instance.since + (goal?.rollout.keepMs ?? 0);
  if (isKept(instance, observation, goal) && now < keepUntil) {
    wakes.at(keepUntil);
    return null;
  }
  return { kind: 'terminate', instance: instance.id, reason: 'no longer kept warm' };
}

/** Kept warm: the release before this one, while nothing is wrong with this one. */
function isKept(
  instance: ObservedInstance,
  { deployment }: Observation,
  goal: ReleaseNeeds | null,
): boolean {
  if (!goal || goal.rollout.keepMs === 0 || instance.release === goal.number) return false;
  if (!deployment) return instance.state === 'standby';
  return deployment.state === 'running' && instance.release === deployment.from;
}

function drainedReason(
  instance: ObservedInstance,
  { releases, acknowledgedSnapshot }: Observation,
  now: number,
  wakes: Wakes,
): string | null {
  const drainMs = releases.get(instance.release)?.drainMs ?? 0;
  const deadline = instance.since + drainMs + DRAIN_CLOSE_MS;
  if (now >= deadline) return 'its drain deadline passed';
  wakes.at(deadline);
  const unrouted =
    instance.unroutedBy !== null &&
    acknowledgedSnapshot !== null &&
    acknowledgedSnapshot >= instance.unroutedBy;
  const empty = !instance.target || isEmpty(instance.target);
  return unrouted && empty ? 'drained' : null;
}

/** Counts from before the edge began to drain it say nothing. */
const isEmpty = ({ health, inFlight, tunnels }: ObservedTarget): boolean =>
  health === 'draining' && inFlight + tunnels === 0;

function followPolicy(
  observation: Observation,
  fleet: Fleet,
  goal: ReleaseNeeds,
  now: number,
  newInstanceId: () => string,
  wakes: Wakes,
): Step[] {
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
  return [
    ...fleet.returning.map(
      ({ id }): Step => ({ kind: 'admit', instance: id, reason: 'asked back from standby' }),
    ),
    ...move.readmit.map(
      ({ id }): Step => ({ kind: 'admit', instance: id, reason: 'still running: back in service' }),
    ),
    ...launches(observation, goal, fleet, demand, backoff, newInstanceId, wakes),
    ...withoutSlot(
      fleet.othersStarting.filter((instance) => isWantedToCompare(instance, observation, now)),
    ),
    ...baselineLaunches(observation, move.launchBaseline ?? 0, newInstanceId),
    ...shifts(observation, goal, move.shift, now),
    ...move.retire.map(
      ({ instance, reason }): Step => ({ kind: 'retire', instance: instance.id, reason }),
    ),
  ];
}

function launches(
  { environment }: Observation,
  goal: ReleaseNeeds,
  fleet: Fleet,
  demand: { launch: number; reason?: string },
  backoff: Backoff,
  newInstanceId: () => string,
  wakes: Wakes,
): Step[] {
  const steps = withoutSlot(fleet.starting);
  const count = demand.launch;
  if (count > 0 && backoff.until !== null) {
    wakes.at(backoff.until);
    return steps;
  }
  // What is to be replaced leaves its place.
  const live = [...fleet.starting, ...fleet.ready];
  const placed = live.map(({ zone }) => ({ zone }));
  // A crash loop is probed with one instance at a time.
  const allowed = backoff.crashLooping ? Math.min(count, 1 - fleet.starting.length) : count;
  for (let index = 0; index < allowed; index += 1) {
    const zone = zoneForLaunch(goal.zones, placed);
    placed.push({ zone });
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
    .map(({ id, release, zone, reason }) => ({
      kind: 'launch',
      instance: id,
      release,
      zone,
      reason,
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

/** Collects the earliest moment at which time alone changes the plan. */
class Wakes {
  earliest: number | null = null;
  readonly #now: number;

  constructor(now: number) {
    this.#now = now;
  }

  at(moment: number | null): void {
    if (moment === null || moment <= this.#now) return;
    if (this.earliest === null || moment < this.earliest) this.earliest = moment;
  }
}
