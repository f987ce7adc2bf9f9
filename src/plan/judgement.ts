import type { Deployment } from '../model/deployment.ts';
import { failedHook, isPreparing } from '../model/hook.ts';
import { isLive } from '../model/instance.ts';
import type { Step } from '../model/step.ts';
import { analyse } from './analysis.ts';
import { watchErrors } from './error-watch.ts';
import { hasSettled, isAside, startProblem } from './fleet.ts';
import { beginPostdeploy } from './hooks.ts';
import type { Observation, ObservedInstance, ReleaseNeeds } from './observation.ts';
import { nextSettled } from './rollout/rolling.ts';

/**
 * The verdict on a running deployment: has it arrived, must it turn back, has it come back? And for
 * an environment that is ending: has it ended?
 */
export interface Judgement {
  step: Step | null;
  wakeAt: number | null;
}

/**
 * A new instance that died after it had served, or was abandoned before, is replaced once; the second
 * is a verdict.
 */
const DEATHS_TOLERATED = 1;
/** Young deaths of the old release on the way back before the way back is given up. */
const RETURN_DEATHS_TOLERATED = 3;

const undecided: Judgement = { step: null, wakeAt: null };

export function judge(observation: Observation, now: number): Judgement {
  const { environment, deployment, instances } = observation;
  if (environment.status === 'terminating') {
    if (instances.length > 0) return undecided;
    return { step: { kind: 'terminated', reason: 'no instance is left' }, wakeAt: null };
  }
  if (!deployment) return undecided;
  return deployment.state === 'running'
    ? judgeForward(observation, deployment, now)
    : judgeReturn(observation, deployment);
}

function judgeForward(observation: Observation, deployment: Deployment, now: number): Judgement {
  if (deployment.aborted) return turnBack(null, 'aborted');
  const goal = observation.releases.get(deployment.to);
  if (!goal) return turnBack(null, `release ${deployment.to} is not on record`);
  const failed = failedHook(deployment);
  if (failed) return turnBack(null, failed.cause ?? `${failed.hook} failed`);
  if (isPreparing(deployment)) return undecided;
  const failure = failureOf(observation, deployment, goal, now);
  if (failure) return turnBack(failure.instance, failure.cause);
  const analysis = analyse(observation, deployment, goal.rollout, now);
  if (analysis.verdict === 'fail') return turnBack(null, analysis.reason);
  const errors = watchErrors(observation, deployment, goal.rollout);
  if (errors !== null) return turnBack(null, errors);
  const provenMs = provingMs(deployment, goal);
  if (!hasArrived(observation, goal, provenMs, now)) {
    const wait = waitForDeadline(observation, deployment, goal);
    const judged = earliest(wait.wakeAt, 'until' in analysis ? analysis.until : null);
    const serving = observation.instances.filter(
      ({ release, state }) => release === goal.number && state === 'in-service',
    );
    return { ...wait, wakeAt: earliest(judged, nextSettled(serving, provenMs, now)) };
  }
  const postdeploy = beginPostdeploy(observation);
  if (postdeploy) return { step: postdeploy, wakeAt: null };
  if (deployment.hooks.some(({ state }) => state === 'running')) return undecided;
  return settle('succeeded', `every instance runs release ${deployment.to}`);
}

function judgeReturn(observation: Observation, deployment: Deployment): Judgement {
  const verdict = deployment.aborted ? 'aborted' : 'rolled-back';
  const cause = deployment.cause ?? 'it failed';
  if (deployment.from === null) {
    if (observation.instances.some(isLive)) return undecided;
    return settle(deployment.aborted ? 'aborted' : 'failed', cause);
  }
  const since = deployment.turnedAt ?? deployment.startedAt;
  const deaths = observation.failures.filter(
    ({ release, at, servedMs }) => release === deployment.from && at >= since && servedMs === null,
  );
  if (deaths.length >= RETURN_DEATHS_TOLERATED) {
    const last = deaths.at(-1)?.cause ?? 'ended';
    return settle(
      'failed',
      `${cause}; going back failed too: an instance of release ${deployment.from} ${last}`,
    );
  }
  const goal = observation.releases.get(deployment.from);
  if (goal && !hasReturned(observation, goal)) return undecided;
  return settle(verdict, cause);
}

interface DeploymentFailure {
  instance: string | null;
  cause: string;
}

function failureOf(
  observation: Observation,
  deployment: Deployment,
  goal: ReleaseNeeds,
  now: number,
): DeploymentFailure | null {
  const deaths = observation.failures.filter(
    ({ release, at }) => release === deployment.to && at >= deployment.startedAt,
  );
  const early = deaths.find(({ servedMs, abandoned }) => servedMs === null && !abandoned);
  const fatal = early ?? (deaths.length > DEATHS_TOLERATED ? deaths.at(-1) : undefined);
  if (fatal) {
    const before = fatal === early ? ' before it was healthy' : '';
    return {
      instance: fatal.instance,
      cause: `instance ${fatal.instance} ${fatal.cause}${before}`,
    };
  }
  const timeoutMs = goal.rollout.startTimeoutMs;
  for (const instance of observation.instances) {
    if (instance.release !== deployment.to) continue;
    const cause = instanceProblem(instance, timeoutMs, now);
    if (cause) return { instance: instance.id, cause };
  }
  if (goal.upstream && observation.fixed?.health !== 'healthy') {
    if (now >= deployment.startedAt + timeoutMs) {
      const problem = observation.fixed?.description || 'it could not be checked';
      return { instance: null, cause: `the fixed address is not healthy: ${problem}` };
    }
  }
  return null;
}

function instanceProblem(
  instance: ObservedInstance,
  timeoutMs: number,
  now: number,
): string | null {
  if (isComingUp(instance) && now >= instance.createdAt + timeoutMs) {
    return `instance ${instance.id} was not healthy within ${timeoutMs / 1000} s: ${startProblem(instance)}`;
  }
  if (instance.state === 'in-service' && instance.target?.health === 'unhealthy') {
    return `instance ${instance.id} became unhealthy: ${instance.target.description}`;
  }
  return null;
}

/** What waits for somebody's word has come up in time. */
const isComingUp = ({ state, wait }: ObservedInstance): boolean => state === 'pending' && !wait;

/**
 * How long a new instance must have served at the end. Under blue-green, where it is idle until the
 * flip, once without requests and once with all of them.
 */
const provingMs = ({ from }: Deployment, { rollout }: ReleaseNeeds): number =>
  rollout.policy === 'blue-green' && from !== null ? 2 * rollout.healthyMs : rollout.healthyMs;

/** Everything wanted serves and has proven itself, and nothing of another release is left. */
function hasArrived(
  observation: Observation,
  goal: ReleaseNeeds,
  provenMs: number,
  now: number,
): boolean {
  const { instances, environment, fixed } = observation;
  const rest = instances.filter(({ release }) => release !== goal.number);
  if (rest.some(({ state }) => state !== 'standby' && state !== 'warmed')) return false;
  if (goal.upstream) return fixed?.health === 'healthy';
  const settled = instances.filter(
    (instance) => instance.release === goal.number && hasSettled(instance, provenMs, now),
  );
  return settled.length >= environment.capacity.desired;
}

function hasReturned(observation: Observation, goal: ReleaseNeeds): boolean {
  const { instances, environment, fixed } = observation;
  const rest = instances.filter(({ release }) => release !== goal.number);
  if (rest.some((instance) => !isAside(instance, goal))) return false;
  if (goal.upstream) return fixed?.health === 'healthy';
  const serving = instances.filter(({ state }) => state === 'in-service');
  return serving.length >= environment.capacity.desired;
}

/** The next moment at which waiting becomes failing. */
function waitForDeadline(
  { instances }: Observation,
  deployment: Deployment,
  goal: ReleaseNeeds,
): Judgement {
  const starts = instances
    .filter((instance) => instance.release === deployment.to && isComingUp(instance))
    .map(({ createdAt }) => createdAt);
  if (goal.upstream) starts.push(deployment.startedAt);
  const wakeAt = starts.length > 0 ? Math.min(...starts) + goal.rollout.startTimeoutMs : null;
  return { step: null, wakeAt };
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

const turnBack = (instance: string | null, reason: string): Judgement => ({
  step: { kind: 'turn-back', instance, reason },
  wakeAt: null,
});

const settle = (
  verdict: 'succeeded' | 'rolled-back' | 'aborted' | 'failed',
  reason: string,
): Judgement => ({ step: { kind: 'settle', verdict, reason }, wakeAt: null });
