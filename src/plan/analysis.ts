import { countAbove, quantile } from '../kernel/histogram.ts';
import type { Rollout } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Observation, ObservedInstance } from './observation.ts';
import { judgedSamples, type Sample, samplesOf, sampleText } from './samples.ts';

/**
 * Judges a release by what it has answered, against instances of the old one that were started with
 * it: of the same age, because a program answers slower while it is young (Kayenta's advice). A
 * judgement needs a number of requests, of users or of Belay's own; silence is no success.
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
/** Where there is no such time, what one stall of the machine would explain is forgiven. */
const STALL_MS = 2_000;
/** Standard deviations: by chance alone once in 30,000 looks, and there is one a second. */
const SIGNIFICANT = 4;

/** What is to be made of the share that the new release has now. */
export function analyse(
  observation: Pick<Observation, 'instances' | 'traffic'>,
  deployment: Deployment,
  rollout: Rollout,
  now: number,
): Analysis {
  const { stage } = deployment;
  if (stage === null) return { verdict: 'wait', reason: 'nothing to judge yet', until: null };
  const sides = judgedSamples(observation, deployment, rollout);
  const [fresh, base] = [sides.fresh.sample, sides.base.sample];
  const worse =
    moreErrors(fresh, base, rollout.minRequests) ??
    (now - stage.since >= Math.min(rollout.bakeMs, LATENCY_SETTLES_MS)
      ? slower(fresh, base, rollout.minRequests, now - stage.since)
      : null);
  if (worse !== null) return { verdict: 'fail', reason: worse };
  const bakedAt = stage.since + rollout.bakeMs;
  const seen = `${sampleText(fresh)} at ${stage.percent} %, ${fresh.errors} errors`;
  if (deployment.promoted) return { verdict: 'pass', reason: `${seen}; promoted on request` };
  if (now < bakedAt) return { verdict: 'wait', reason: seen, until: bakedAt };
  const unwell = lessWell(sides.fresh.instances, sides.base.instances);
  if (unwell !== null) return { verdict: 'fail', reason: unwell };
  if (samplesOf(fresh) >= rollout.minRequests) return { verdict: 'pass', reason: seen };
  const until = bakedAt + rollout.patienceMs;
  const reason = tooFew(fresh, rollout.minRequests);
  if (now >= until) return { verdict: 'fail', reason: `${reason}, and nobody decided` };
  return { verdict: 'inconclusive', reason, until };
}

function tooFew(sample: Sample, needed: number): string {
  return sample.probes === 0
    ? `only ${sample.requests} of ${needed} requests to judge by`
    : `only ${sampleText(sample)} of ${needed} to judge by`;
}

/**
 * What the first say is wrong with what they depend on and the second do not, in a sentence. Asked
 * at the end of the bake, because what fails for a moment may be on its way up.
 */
function lessWell(
  fresh: readonly ObservedInstance[],
  base: readonly ObservedInstance[],
): string | null {
  const unwell = fresh.find(({ target }) => target?.deep?.passed === false);
  if (!unwell || base.some(({ target }) => target?.deep?.passed === false)) return null;
  const told = unwell.target?.deep?.description;
  return `instance ${unwell.id} says ${told}; no instance of the old release it is compared with does`;
}

/** How the first fails more than the second, in a sentence; null when it does not, as far as one sees. */
export function moreErrors(fresh: Sample, base: Sample, minRequests: number): string | null {
  const count = samplesOf(fresh);
  if (count < minRequests) return null;
  const [share, baseShare] = [errorShare(fresh), errorShare(base)];
  const expected = baseShare + MORE_ERRORS;
  if (share <= expected || deviations(share, expected, count) < SIGNIFICANT) return null;
  const what = fresh.probes + base.probes === 0 ? 'requests' : 'requests and probes';
  return `${percent(share)} of its ${what} fail, ${percent(baseShare)} of the old release's`;
}

/** How the first is slower than the second, in a sentence; null when it is not, as far as one sees. */
function slower(
  fresh: Sample,
  base: Sample,
  minRequests: number,
  elapsedMs: number,
): string | null {
  const count = samplesOf(fresh);
  const fewer = Math.min(count, samplesOf(base));
  if (fewer < minRequests) return null;
  const tail = Math.max(SLOW_SHARE, TAIL_REQUESTS / fewer);
  const baseTail = quantile(base.latency, 1 - tail) ?? 0;
  const limit = Math.max(baseTail * SLOWER, baseTail + UNNOTICED_US);
  const slow = countAbove(fresh.latency, limit) / count;
  const stalled = elapsedMs < LATENCY_SETTLES_MS ? STALL_MS / elapsedMs : 0;
  const expected = 2 * tail + stalled;
  if (slow <= expected || deviations(slow, expected, count) < SIGNIFICANT) return null;
  const freshTail = quantile(fresh.latency, 1 - tail) ?? 0;
  const name = `p${Number((100 * (1 - tail)).toFixed(1))}`;
  return `its ${name} is ${milliseconds(freshTail)}, the old release's ${milliseconds(baseTail)}`;
}

/** How far a share is from the expected one, in standard deviations of a binomial of so many. */
const deviations = (share: number, expected: number, count: number): number =>
  (share - expected) / Math.sqrt((expected * (1 - expected)) / count);

const errorShare = (sample: Sample): number => {
  const count = samplesOf(sample);
  return count === 0 ? 0 : sample.errors / count;
};

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const milliseconds = (us: number): string => `${(us / 1000).toFixed(0)} ms`;
