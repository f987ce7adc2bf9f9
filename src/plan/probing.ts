import { movesByWeight, type Rollout } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Observation, ObservedInstance } from './observation.ts';
import { judgedSamples, samplesOf } from './samples.ts';

/**
 * Requests of Belay's own where those of users will be too few to judge a share by: the new instances
 * and those of the old release that they are compared with are asked equally often, so that both
 * have answered the same. They go straight to the instances, and are requests in no account.
 */
export interface Probing {
  paths: readonly string[];
  instances: readonly { id: string; perSecond: number }[];
}

/** Of the bake: first it is seen what comes by itself. */
const WATCH_SHARE = 0.1;
const MOST_WATCH_MS = 10_000;
/** They are all there before the bake ends. */
const IN_TIME_SHARE = 0.9;
/** To all instances of one release together: less than any user with a browser. */
const MOST_PROBES_PER_SECOND = 10;

/** Null while the traffic is enough, and where no probes are configured. */
export function planProbes(
  observation: Pick<Observation, 'instances' | 'traffic'>,
  deployment: Deployment,
  rollout: Rollout,
  now: number,
): Probing | null {
  const { stage, state, promoted } = deployment;
  if (state !== 'running' || stage === null || promoted) return null;
  if (rollout.probes.length === 0 || !movesByWeight(rollout.policy)) return null;
  const { fresh, base, sameAge } = judgedSamples(observation, deployment, rollout);
  const compared = sameAge.instances.length > 0 ? sameAge : base;
  const sides = [fresh, compared].map(({ instances }) => serving(instances));
  if (sides[0]?.length === 0) return null;
  const samples = [fresh.sample, compared.sample];
  const lacking = rollout.minRequests - Math.min(...samples.map(samplesOf));
  const watchedMs = now - stage.since;
  const leftMs = Math.max(0, rollout.bakeMs - watchedMs);
  if (lacking <= 0 || watchedMs < Math.min(MOST_WATCH_MS, rollout.bakeMs * WATCH_SHARE))
    return null;
  const fewest = Math.min(...samples.map(({ requests }) => requests));
  const expected = fewest * (1 + leftMs / Math.max(1, watchedMs));
  if (leftMs > 0 && expected >= rollout.minRequests) return null;
  const wanted = (lacking * 1_000) / Math.max(1, leftMs * IN_TIME_SHARE);
  const perSecond = Math.min(MOST_PROBES_PER_SECOND, wanted);
  return {
    paths: rollout.probes,
    instances: sides.flatMap((side) =>
      side.map(({ id }) => ({ id, perSecond: perSecond / side.length })),
    ),
  };
}

const serving = (instances: readonly ObservedInstance[]): readonly ObservedInstance[] =>
  instances.filter(({ state, slot }) => state === 'in-service' && slot?.running === true);
