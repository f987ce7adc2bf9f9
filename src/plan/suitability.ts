import type { Machine } from '../kernel/machine.ts';
import { movesByWeight, type Rollout } from '../model/configuration.ts';
import type { Concern } from '../model/forecast.ts';
import { type Commitment, overcommitment } from './overcommitment.ts';
import { instancesIn } from './rollout/rollout.ts';

/**
 * Whether a policy suits an environment as it is now, asked before anything starts. What would end
 * in an outage or certainly in a rollback is grave; the rest is said, and stops nobody.
 */
export interface Circumstances {
  freeMemoryBytes: number | null;
  /** Null where nobody can say. */
  machine: Machine | null;
  /** The most that an instance of it uses now; null where none runs. */
  instanceBytes: number | null;
  /** Null while it has not been measured. */
  requestsPerSecond: number | null;
  /** From the start to service, of earlier instances. */
  bootMs: number | null;
}

export interface Intention {
  rollout: Rollout;
  /** Instances wanted once it is done. */
  desired: number;
  /** The most there may be. */
  max: number;
  /** Instances that run now, without those that are kept warm. */
  running: number;
  /** The release that is left, if there is one, and the new one. */
  from: { upstream: boolean } | null;
  to: { upstream: boolean } & Pick<Commitment, 'warm' | 'size' | 'limits'>;
}

export function concernsOf(intention: Intention, circumstances: Circumstances): Concern[] {
  const { from, to, desired } = intention;
  if (to.upstream || from?.upstream) return fixedAddress(intention);
  if (desired === 0) return nothingToProve();
  const overcommitted = overcommitmentOf(intention, circumstances);
  // Where nothing runs, nothing is taken away and no traffic is shared out.
  const judged =
    from === null || intention.running === 0
      ? []
      : [outage(intention), thinTraffic(intention, circumstances)];
  // What the machine does not have at all is not asked for in its free memory.
  const isTold = overcommitted.some(({ grave }) => grave);
  const room = isTold ? null : memory(intention, circumstances);
  return [...judged, ...overcommitted, room, slowStart(intention, circumstances)].filter(
    (concern): concern is Concern => concern !== null,
  );
}

/** The most instances at a time while the policy is at it, without those that are on their way out. */
export function mostInstances({ rollout, desired, from }: Intention): number {
  if (from === null) return desired;
  if (rollout.policy === 'rolling') return desired + instancesIn(rollout.extra, desired);
  const baseline = movesByWeight(rollout.policy) ? shareOf(rollout, desired) : 0;
  return 2 * desired + baseline;
}

const shareOf = ({ percent }: Rollout, desired: number): number =>
  Math.ceil((desired * percent) / 100);

function fixedAddress({ rollout, from }: Intention): Concern[] {
  if (from === null || !movesByWeight(rollout.policy)) return [];
  return [
    {
      code: 'fixed-address',
      grave: true,
      what: `'${rollout.policy}' moves traffic between instances, and a fixed address has none: all of it would move at once, unjudged`,
      instead: 'say that it may: --policy all-at-once',
    },
  ];
}

const nothingToProve = (): Concern[] => [
  {
    code: 'nothing-to-prove',
    grave: false,
    what: 'no instance is wanted, so that none shows whether the release is any good',
    instead: 'belay scale 1 first',
  },
];

function outage({ rollout, desired }: Intention): Concern | null {
  if (rollout.policy !== 'rolling' || instancesIn(rollout.extra, desired) > 0) return null;
  if (instancesIn(rollout.batch, desired) < desired) return null;
  const instead =
    desired === 1
      ? 'let the new one start beside the old: extra: 1'
      : `smaller batches, as batch: ${Math.ceil(desired / 2)}, or extra: 1`;
  const all = desired === 1 ? 'the only instance' : `all ${desired} instances at once`;
  const what = `in place, ${all} would be stopped before a new one serves`;
  return { code: 'outage', grave: true, what, instead };
}

function memory(intention: Intention, circumstances: Circumstances): Concern | null {
  const { freeMemoryBytes, instanceBytes } = circumstances;
  const bytes = instanceBytes ?? intention.to.limits.memoryBytes;
  const more = mostInstances(intention) - intention.running;
  if (bytes === null || freeMemoryBytes === null || bytes * more <= freeMemoryBytes) return null;
  const { rollout, desired, from } = intention;
  const room = Math.floor(freeMemoryBytes / bytes);
  const what = `${more} more instances of ${megabytes(bytes)} need ${megabytes(bytes * more)} for a while, and ${megabytes(freeMemoryBytes)} are free`;
  const inBatches =
    from !== null &&
    room > 0 &&
    (rollout.policy !== 'rolling' || instancesIn(rollout.extra, desired) > room);
  const instead = inBatches
    ? `there is room for ${room} at a time: rolling({ extra: ${Math.min(room, desired)} })`
    : from !== null && desired > 1
      ? 'replace them in place: rolling({ batch: 1, extra: 0 })'
      : 'make room, or run fewer instances';
  return { code: 'too-little-memory', grave: true, what, instead };
}

const overcommitmentOf = (
  { desired, max, to }: Intention,
  { machine }: Circumstances,
): Concern[] => (machine === null ? [] : overcommitment({ desired, max, ...to }, machine));

function thinTraffic(
  { rollout, desired }: Intention,
  { requestsPerSecond }: Circumstances,
): Concern | null {
  if (!movesByWeight(rollout.policy) || requestsPerSecond === null) return null;
  // Belay asks itself then.
  if (rollout.probes.length > 0) return null;
  const { percent, minRequests, bakeMs, patienceMs } = rollout;
  const neededMs = (minRequests / ((requestsPerSecond * percent) / 100)) * 1000;
  if (neededMs <= bakeMs) return null;
  const rate = `at ${rateText(requestsPerSecond)} requests a second, ${percent} % of them`;
  const takes = Number.isFinite(neededMs)
    ? `${rate} take ${duration(neededMs)} to become ${minRequests}, and bake is ${duration(bakeMs)}`
    : `nothing is asked for at present, and ${minRequests} requests are needed for a judgement`;
  const enough = Math.min(99, Math.ceil((minRequests * 100_000) / (requestsPerSecond * bakeMs)));
  const larger = Number.isFinite(enough) && enough < 99 ? `percent: ${enough}, or ` : '';
  return {
    code: 'too-little-traffic',
    grave: neededMs > bakeMs + patienceMs,
    what: takes,
    instead: `${larger}${desired > 1 ? '--policy immutable' : '--policy blue-green'}, which no traffic has to judge; or decide yourself: belay deploy --promote`,
  };
}

function slowStart({ rollout }: Intention, { bootMs }: Circumstances): Concern | null {
  if (bootMs === null || bootMs < rollout.startTimeoutMs) return null;
  return {
    code: 'starts-too-slowly',
    grave: true,
    what: `its instances took ${duration(bootMs)} to come up, and startTimeout is ${duration(rollout.startTimeoutMs)}`,
    instead: `startTimeout: '${Math.ceil((2 * bootMs) / 1000)}s'`,
  };
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1_048_576)} MB`;
const rateText = (rate: number): string => (rate < 10 ? rate.toFixed(1) : rate.toFixed(0));

function duration(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`;
  const minutes = seconds / 60;
  return minutes < 120 ? `${Math.ceil(minutes)} min` : `${Math.ceil(minutes / 60)} h`;
}
