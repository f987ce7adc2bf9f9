import { type SparseHistogram, sum } from '../kernel/histogram.ts';
import type { Rollout } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { TargetTraffic } from '../model/target.ts';
import type { Observation, ObservedInstance } from './observation.ts';

/** What some instances have answered: the figures that a release is judged by. */
export interface Sample {
  /** Of users. */
  requests: number;
  /** Of Belay's own, where those were too few. */
  probes: number;
  /** The app's own 5xx, and what was lost or cut inside it. */
  errors: number;
  latency: SparseHistogram;
}

interface Side {
  instances: readonly ObservedInstance[];
  sample: Sample;
}

/**
 * The new release, and what it is compared with: instances of the old one that were started with it.
 * Where these did not come up, or have answered too little, all others are better than none.
 */
export function judgedSamples(
  { instances, traffic }: Pick<Observation, 'instances' | 'traffic'>,
  deployment: Pick<Deployment, 'from' | 'to' | 'startedAt'>,
  { minRequests }: Pick<Rollout, 'minRequests'>,
): { fresh: Side; base: Side; sameAge: Side } {
  const side = (of: readonly ObservedInstance[]): Side => ({
    instances: of,
    sample: sampleFrom(of, traffic),
  });
  const old = instances.filter(({ release }) => release === deployment.from);
  const sameAge = side(old.filter(({ createdAt }) => createdAt >= deployment.startedAt));
  return {
    fresh: side(instances.filter(({ release }) => release === deployment.to)),
    base: samplesOf(sameAge.sample) >= minRequests ? sameAge : side(old),
    sameAge,
  };
}

/** By how much there is to judge. */
export const samplesOf = ({ requests, probes }: Sample): number => requests + probes;

/** `40 requests and 60 probes`. */
export function sampleText({ requests, probes }: Sample): string {
  return probes === 0 ? `${requests} requests` : `${requests} requests and ${probes} probes`;
}

export function sampleFrom(
  instances: readonly ObservedInstance[],
  traffic: readonly TargetTraffic[],
): Sample {
  const ids = new Set(instances.map(({ id }) => id));
  const sample: Sample = { requests: 0, probes: 0, errors: 0, latency: [] };
  for (const { id, requests, probes = 0, appErrors, failures, latency } of traffic) {
    if (!ids.has(id)) continue;
    sample.requests += requests;
    sample.probes += probes;
    sample.errors += appErrors + failures;
    sample.latency = sum(sample.latency, latency);
  }
  return sample;
}
