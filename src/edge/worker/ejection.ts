import type { Ejection } from '../../model/traffic.ts';

/**
 * Which target of a pool is left out for a while because its answers go wrong, although it passes
 * its checks: Envoy's outlier detection, with one change. Envoy counts a target's errors for
 * themselves, so a database that is down for all ejects half a pool for nothing. Here every error is
 * held against what the peers do: what befalls all of them alike is nobody's own, and leaving some
 * out would only bring the others down.
 *
 * Two things make an outlier:
 *
 * - a run of errors of the configured length, and longer than chance would make it at the share of
 *   errors its peers have now. Peers without errors leave it at the configured length; where a
 *   third of theirs fails too it takes 17, and where all fail no run is long enough;
 * - at the end of a window, a share of errors far above its peers'. Envoy measures the distance in
 *   standard deviations over all hosts, and so needs five of them: among fewer none can be 1.9 away.
 *   Leaving the target itself out of the mean makes it work from two on.
 *
 * Everything here is pure, and every worker decides for itself by what passes through it.
 */

/** Envoy's `interval`. */
export const WINDOW_MS = 10_000;
/** Envoy's `failure_percentage_request_volume`: fewer answers in a window say nothing. */
const REQUEST_VOLUME = 50;
/** Envoy's `success_rate_stdev_factor`. */
const STDEV_FACTOR = 1.9;
/** And at least so much above the peers, because among few of them deviations are small. */
const SHARE_MARGIN = 0.1;
/** A run that chance makes less often than that is no chance. */
const RUN_CHANCE = 1e-8;
/** Envoy's `max_ejection_time` is ten times its `base_ejection_time`. */
const MAX_TIMES = 10;

/** One in fixed point, so that noting an answer is a few operations on small integers. */
const ONE = 1 << 16;
/** The newest answer makes an eighth of the recent share. */
const RECENT_SHIFT = 3;

/** What is remembered of one target's answers. */
export class Conduct {
  errorsInRow = 0;
  /** Within the window. */
  answers = 0;
  errors = 0;
  /** The share of errors among the last answers, the newest counting most; fixed point. */
  private recent = 0;

  note(well: boolean): void {
    this.answers += 1;
    if (well) {
      this.errorsInRow = 0;
      this.recent -= this.recent >> RECENT_SHIFT;
    } else {
      this.errorsInRow += 1;
      this.errors += 1;
      this.recent += (ONE - this.recent) >> RECENT_SHIFT;
    }
  }

  beginWindow(): void {
    this.answers = 0;
    this.errors = 0;
  }

  /** It is judged by what it does from now on. */
  beginAnew(): void {
    this.beginWindow();
    this.errorsInRow = 0;
    this.recent = 0;
  }

  get errorShare(): number {
    return this.answers === 0 ? 0 : this.errors / this.answers;
  }

  /** Of the last few answers, or of the window if that is more: a fault that has just begun counts. */
  get presentErrorShare(): number {
    return Math.max(this.recent / ONE, this.errorShare);
  }
}

export interface Outlier {
  /** Which of those that take part. */
  index: number;
  /** In words: `5 errors in a row`. */
  reason: string;
}

/**
 * The worst of those that take part, if it is one that should not.
 *
 * @param windowEnded the shares of the window may be judged
 */
export function findOutlier(
  taking: readonly Conduct[],
  { consecutiveErrors }: Pick<Ejection, 'consecutiveErrors'>,
  windowEnded: boolean,
): Outlier | null {
  if (taking.length < 2) return null;
  return byRun(taking, consecutiveErrors) ?? (windowEnded ? byShare(taking) : null);
}

/**
 * How many of a pool may be left out at a time. One in any case, as with Envoy; never all.
 *
 * @param members how many pass their checks
 */
export function mostLeftOut(members: number, { maxPercent }: Pick<Ejection, 'maxPercent'>): number {
  const share = Math.floor((members * maxPercent) / 100);
  return Math.min(members - 1, Math.max(1, share));
}

/**
 * Which time it is that a target is left out: each counts one more, and each such span that it has
 * behaved since it came back one less. Its length is so many times `timeMs`.
 */
export function timesLeftOut(
  before: number,
  behavedMs: number,
  { timeMs }: Pick<Ejection, 'timeMs'>,
): number {
  const remembered = Math.max(0, before - Math.floor(behavedMs / timeMs));
  return Math.min(MAX_TIMES, remembered + 1);
}

function byRun(taking: readonly Conduct[], consecutiveErrors: number): Outlier | null {
  let total = 0;
  for (const conduct of taking) total += conduct.presentErrorShare;
  let worst: Outlier | null = null;
  let longest = 0;
  for (const [index, conduct] of taking.entries()) {
    const { errorsInRow, presentErrorShare } = conduct;
    if (errorsInRow < consecutiveErrors || errorsInRow <= longest) continue;
    const peers = (total - presentErrorShare) / (taking.length - 1);
    if (errorsInRow < runBeyondChance(peers)) continue;
    longest = errorsInRow;
    worst = { index, reason: `${errorsInRow} error${errorsInRow === 1 ? '' : 's'} in a row` };
  }
  return worst;
}

/** How many errors in a row are more than chance, where each answer is one with this probability. */
function runBeyondChance(errorShare: number): number {
  if (errorShare <= 0) return 0;
  return errorShare >= 1 ? Number.POSITIVE_INFINITY : Math.log(RUN_CHANCE) / Math.log(errorShare);
}

function byShare(taking: readonly Conduct[]): Outlier | null {
  const judged = taking.filter(({ answers }) => answers >= REQUEST_VOLUME);
  if (judged.length < 2) return null;
  let total = 0;
  let squares = 0;
  for (const { errorShare } of judged) {
    total += errorShare;
    squares += errorShare ** 2;
  }
  let worst: Outlier | null = null;
  let furthest = 0;
  for (const conduct of judged) {
    const { errorShare, answers } = conduct;
    const peers = judged.length - 1;
    const mean = Math.max(0, (total - errorShare) / peers);
    const spread = (squares - errorShare ** 2) / peers - mean ** 2;
    // One or two peers do not show how far chance scatters so many answers; arithmetic does.
    const chance = (mean * (1 - mean)) / answers;
    const deviation = Math.sqrt(Math.max(spread, chance, 0));
    const distance = errorShare - (mean + SHARE_MARGIN + STDEV_FACTOR * deviation);
    if (distance <= furthest) continue;
    furthest = distance;
    worst = {
      index: taking.indexOf(conduct),
      reason: `${percent(errorShare)} of ${answers} requests failed, ${percent(mean)} at its peers`,
    };
  }
  return worst;
}

const percent = (share: number): string => `${Math.round(share * 100)}%`;
