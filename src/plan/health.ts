import type { EnvironmentHealth } from '../model/environment.ts';
import type { TrafficView } from '../model/view.ts';
import { backoffOf, crashLoopSentence } from './backoff.ts';
import { diagnoseDependencies } from './dependencies.ts';
import { goalOf, untilPrepared } from './environment.ts';
import { fleetOf, isServing, startProblem } from './fleet.ts';
import { diagnoseHeldUp } from './held-up.ts';
import type { Observation, ObservedInstance, ReleaseNeeds } from './observation.ts';

/**
 * How an environment does, with the cause in a sentence. The first cause that applies wins, the
 * gravest first. AWS does not publish the shares that separate the levels; these are ours.
 */
export interface Diagnosis {
  health: EnvironmentHealth;
  cause: string;
}

const MIN_REQUESTS = 20;
const ERROR_LEVELS: readonly [share: number, health: EnvironmentHealth][] = [
  [0.2, 'severe'],
  [0.05, 'degraded'],
  [0.01, 'warning'],
];

export function diagnose(
  observation: Observation,
  traffic: TrafficView | null,
  now: number,
): Diagnosis {
  const { environment, deployment } = observation;
  if (environment.status === 'terminating') return { health: 'pending', cause: 'terminating' };
  if (observation.acknowledgedSnapshot === null) {
    return { health: 'unknown', cause: 'the edge cannot be reached' };
  }
  const capacity = diagnoseCapacity(observation, now);
  if (capacity && isGrave(capacity.health)) return capacity;
  const errors = diagnoseErrors(traffic);
  if (errors && isGrave(errors.health)) return errors;
  const dependencies = diagnoseDependencies(observation);
  if (dependencies && isGrave(dependencies.health)) return dependencies;
  if (deployment) return diagnoseDeployment(observation);
  return (
    capacity ??
    errors ??
    dependencies ??
    diagnoseLeftOut(observation) ??
    diagnoseFixedOut(observation) ??
    diagnoseHeldUp(observation, now) ?? { health: 'ok', cause: inServiceSentence(observation) }
  );
}

const isGrave = (health: EnvironmentHealth): boolean =>
  health === 'severe' || health === 'degraded';

function diagnoseCapacity(observation: Observation, now: number): Diagnosis | null {
  const { instances, deployment } = observation;
  const before = untilPrepared(observation);
  const { environment } = before;
  const goal = goalOf(before);
  if (goal?.upstream) return diagnoseFixed(observation);
  const serving = instances.filter(isServing).length;
  const { desired, min } = environment.capacity;
  if (desired === 0 && environment.asleep) {
    const since = new Date(environment.asleep.since).toISOString().slice(0, 19).replace('T', ' ');
    return { health: 'ok', cause: `asleep since ${since}Z; the next request wakes it` };
  }
  if (environment.status === 'launching' && serving === 0 && deployment?.state === 'running') {
    return {
      health: 'pending',
      cause: `starting: 0 of ${counted(desired, 'instance')} in service`,
    };
  }
  if (!goal) {
    return { health: 'severe', cause: 'no release has ever been healthy; deploy one that is' };
  }
  if (serving >= desired) return null;
  const why = shortfallCause(observation, goal, now);
  const cause = `${serving} of ${counted(desired, 'instance')} in service${why === '' ? '' : `: ${why}`}`;
  if (serving === 0 && desired > 0) {
    const isWaking =
      environment.asleep && !backoffOf(observation.failures, goal.number, now).crashLooping;
    return isWaking
      ? { health: 'pending', cause: `waking: ${cause}` }
      : { health: 'severe', cause };
  }
  return { health: serving < min ? 'degraded' : 'warning', cause };
}

function diagnoseFixed({ fixed }: Observation): Diagnosis | null {
  if (fixed?.health === 'healthy') return null;
  const why = fixed?.description || 'not checked yet';
  return { health: 'severe', cause: `the fixed address is not healthy: ${why}` };
}

/** Others serve in its place. */
function diagnoseFixedOut({ fixed, fixedOut = [] }: Observation): Diagnosis | null {
  if (!fixed || fixedOut.length === 0) return null;
  return { health: 'warning', cause: `not all addresses are healthy: ${fixedOut.join('; ')}` };
}

function shortfallCause(observation: Observation, goal: ReleaseNeeds, now: number): string {
  const backoff = backoffOf(observation.failures, goal.number, now);
  if (backoff.crashLooping) return crashLoopSentence(goal.number, backoff, now);
  const fleet = fleetOf(observation.instances, goal, now);
  const unhealthy = observation.instances.find(
    (instance) => instance.state === 'in-service' && !isServing(instance),
  );
  if (unhealthy) return `${unhealthy.id} ${unhealthy.target?.description ?? 'fails its checks'}`;
  const [starting] = fleet.starting;
  if (starting) return `${starting.id} is starting, ${startProblem(starting)}`;
  return backoff.lastCause === null ? '' : `an instance ${backoff.lastCause}`;
}

function diagnoseErrors(traffic: TrafficView | null): Diagnosis | null {
  if (!traffic) return null;
  const requests = (traffic.requestsPerSecond * traffic.windowMs) / 1000;
  if (requests < MIN_REQUESTS) return null;
  const share = (traffic.appErrors + traffic.lost) / requests;
  const level = ERROR_LEVELS.find(([least]) => share >= least);
  if (!level) return null;
  const percent = (share * 100).toFixed(1);
  return { health: level[1], cause: `${percent}% of requests fail with 5xx` };
}

function diagnoseLeftOut({ instances }: Observation): Diagnosis | null {
  const serving = instances.filter(isServing);
  const leftOut = serving.filter(({ target }) => target?.ejection != null);
  const [first] = leftOut;
  if (!first) return null;
  const are = leftOut.length === 1 ? 'is' : 'are';
  const share = `${leftOut.length} of ${counted(serving.length, 'instance')} ${are} left out for bad answers`;
  return { health: 'warning', cause: `${share} (${first.id}: ${first.target?.ejection})` };
}

function diagnoseDeployment({ deployment, instances }: Observation): Diagnosis {
  if (!deployment) return { health: 'unknown', cause: '' };
  const running = deployment.hooks.find(({ state }) => state === 'running');
  if (running && deployment.state === 'running') {
    const { kind, number } = deployment;
    return { health: 'info', cause: `${kind} ${number} is running: ${running.hook}` };
  }
  const goal = deployment.state === 'rolling-back' ? deployment.from : deployment.to;
  const done = instances.filter(({ release, state }) => release === goal && state === 'in-service');
  const runs = done.length === 1 ? 'runs' : 'run';
  const progress = `${counted(done.length, 'instance')} ${runs} release ${goal}`;
  if (deployment.state === 'rolling-back') {
    return { health: 'warning', cause: `going back (${deployment.cause}): ${progress}` };
  }
  return {
    health: 'info',
    cause: `${deployment.kind} ${deployment.number} is running: ${progress}${waitSentence(instances)}`,
  };
}

function waitSentence(instances: readonly ObservedInstance[]): string {
  const one = instances.find(({ wait }) => wait?.answer === null);
  return one ? `; ${one.id} waits for: belay instance continue ${one.id}` : '';
}

function inServiceSentence({ instances, fixed }: Observation): string {
  if (fixed) return 'the fixed address is healthy';
  const serving: ObservedInstance[] = instances.filter(isServing);
  const zones = new Set(serving.map(({ zone }) => zone)).size;
  const aside = instances.filter(({ state, wish }) => state === 'standby' && wish).length;
  const kept = aside === 0 ? '' : `, ${aside} on standby by hand`;
  if (serving.length === 0) return `stopped: none is desired${kept}`;
  return `${counted(serving.length, 'instance')} in service in ${counted(zones, 'zone')}${kept}`;
}

const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;
