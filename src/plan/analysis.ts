import { countAbove, quantile, type SparseHistogram, sum } from '../kernel/histogram.ts';
import type { Rollout } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { TargetTraffic } from '../model/target.ts';
import type { Observation, ObservedInstance } from './observation.ts';

/**
 * Judges a release by what it has answered, against instances of the old one that were started with
 * it: of the same age, because a program answers slower while it is young (Kayenta's advice). A
 * judgement needs a number of requests; silence is no success.
 */
export type Analysis =
  | { verdict: 'wait'; reason: string; until: number | null }
  | { verdict: 'pass'; reason: string }
  | { verdict: 'inconclusive'; reason: string; until: number }
  | { verdict: 'fail'; reason: string };

/** One in a hundred more that fail is worse, whoever is compared with whom. */
const MORE_ERRORS = 0.01;
/** Half as slow again, at the slowest hundredth. */
const SLOWER = 1.5;
/** Differences below this are nothing that a user notices. */
const UNNOTICED_US = 20_000;
/** Of the requests of one release, those slower than all but a hundredth of the other's. */
const SLOW_SHARE = 0.01;
/** A tail is read where it has so many requests: of a hundred requests the slowest one says nothing. */
const TAIL_REQUESTS = 10;
/**
 * A machine that stalls delays every request of that moment, so that slow ones come in bursts, where
 * chance would scatter them: how slow a release is can only be said of a longer time.
 */
const LATENCY_SETTLES_MS = 30_000;
/** Standard deviations: by chance alone once in 30,000 looks, and there is one a second. */
const SIGNIFICANT = 4;

export interface Sample {
  requests: number;
  /** The app's own 5xx, and what was lost or cut inside it. */
  errors: number;
  latency: SparseHistogram;
}

/** What is to be made of the share that the new release has now. */
export function analyse(
  { instances, traffic }: Pick<Observation, 'instances' | 'traffic'>,
  deployment: Deployment,
  rollout: Rollout,
  now: number,
): Analysis {
  const { stage } = deployment;
  if (stage === null) return { verdict: 'wait', reason: 'nothing to judge yet', until: null };
  const old = instances.filter(({ release }) => release === deployment.from);
  const sameAge = sampleFrom(
    old.filter(({ createdAt }) => createdAt >= deployment.startedAt),
    traffic,
  );
  const fresh = sampleFrom(
    instances.filter(({ release }) => release === deployment.to),
    traffic,
  );
  // Where the one of the same age did not come up, all others are better than none.
  const base = sameAge.requests >= rollout.minRequests ? sameAge : sampleFrom(old, traffic);
  const worse =
    moreErrors(fresh, base, rollout.minRequests) ??
    (now - stage.since >= Math.min(rollout.bakeMs, LATENCY_SETTLES_MS)
      ? slower(fresh, base, rollout.minRequests)
      : null);
  if (worse !== null) return { verdict: 'fail', reason: worse };
  const bakedAt = stage.since + rollout.bakeMs;
  const seen = `${fresh.requests} requests at ${stage.percent} %, ${fresh.errors} errors`;
  if (deployment.promoted) return { verdict: 'pass', reason: `${seen}; promoted on request` };
  if (now < bakedAt) return { verdict: 'wait', reason: seen, until: bakedAt };
  if (fresh.requests >= rollout.minRequests) return { verdict: 'pass', reason: seen };
  const until = bakedAt + rollout.patienceMs;
  const reason = `only ${fresh.requests} of ${rollout.minRequests} requests to judge by`;
  if (now >= until) return { verdict: 'fail', reason: `${reason}, and nobody decided` };
  return { verdict: 'inconclusive', reason, until };
}

/** How the first fails more than the second, in a sentence; null when it does not, as far as one sees. */
export function moreErrors(fresh: Sample, base: Sample, minRequests: number): string | null {
  if (fresh.requests < minRequests) return null;
  const [share, baseShare] = [errorShare(fresh), errorShare(base)];
  const expected = baseShare + MORE_ERRORS;
  if (share <= expected || deviations(share, expected, fresh.requests) < SIGNIFICANT) return null;
  return `${percent(share)} of its requests fail, ${percent(baseShare)} of the old release's`;
}

/** How the first is slower than the second, in a sentence; null when it is not, as far as one sees. */
function slower(fresh: Sample, base: Sample, minRequests: number): string | null {
  const fewer = Math.min(fresh.requests, base.requests);
  if (fewer < minRequests) return null;
  const tail = Math.max(SLOW_SHARE, TAIL_REQUESTS / fewer);
  const baseTail = quantile(base.latency, 1 - tail) ?? 0;
  const limit = Math.max(baseTail * SLOWER, baseTail + UNNOTICED_US);
  const slow = countAbove(fresh.latency, limit) / fresh.requests;
  const expected = 2 * tail;
  if (slow <= expected || deviations(slow, expected, fresh.requests) < SIGNIFICANT) return null;
  const freshTail = quantile(fresh.latency, 1 - tail) ?? 0;
  const name = `p${Number((100 * (1 - tail)).toFixed(1))}`;
  return `its ${name} is ${milliseconds(freshTail)}, the old release's ${milliseconds(baseTail)}`;
}

/** How far a share is from the expected one, in standard deviations of a binomial of so many. */
const deviations = (share: number, expected: number, count: number): number =>
  (share - expected) / Math.sqrt((expected * (1 - expected)) / count);

export function sampleFrom(
  instances: readonly ObservedInstance[],
  traffic: readonly TargetTraffic[],
): Sample {
  const ids = new Set(instances.map(({ id }) => id));
  const sample: Sample = { requests: 0, errors: 0, latency: [] };
  for (const { id, requests, appErrors, failures, latency } of traffic) {
    if (!ids.has(id)) continue;
    sample.requests += requests;
    sample.errors += appErrors + failures;
    sample.latency = sum(sample.latency, latency);
  }
  return sample;
}

const errorShare = ({ errors, requests }: Sample): number =>
  requests === 0 ? 0 : errors / requests;

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const milliseconds = (us: number): string => `${(us / 1000).toFixed(0)} ms`;
