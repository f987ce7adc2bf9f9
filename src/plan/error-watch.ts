import type { Rollout } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import { moreErrors } from './analysis.ts';
import type { Observation } from './observation.ts';
import { sampleFrom } from './samples.ts';

/**
 * Policies that judge no shares watch the answers all the same, as Beanstalk watches an environment's
 * health during a batch: a release that passes its checks and fails its users is turned back as soon
 * as its answers show it, beside those of the old release over the same time. They wait for no
 * number of requests, so silence is success here; who wants it otherwise takes a canary. Latency is
 * not compared: while a fleet starts, whoever is young is slow.
 *
 * @returns what is wrong with the new release, in a sentence; null when nothing is seen
 */
export function watchErrors(
  { instances, traffic }: Pick<Observation, 'instances' | 'traffic'>,
  deployment: Deployment,
  { minRequests }: Pick<Rollout, 'minRequests'>,
): string | null {
  const { from, to, kind, promoted, stage } = deployment;
  // Who goes back does so because of what is there, whatever it answers beside it.
  if (from === null || kind === 'rollback' || promoted || stage !== null) return null;
  const of = (number: number) =>
    sampleFrom(
      instances.filter(({ release }) => release === number),
      traffic,
    );
  return moreErrors(of(to), of(from), minRequests);
}
