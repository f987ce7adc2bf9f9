import type { Ejection } from '../../model/traffic.ts';
import { findOutlier, mostLeftOut, WINDOW_MS } from './ejection.ts';
import type { Standing } from './standing.ts';

/** Leaves out the outliers of one pool, and lets them back in when their time is over. */

export interface Member {
  readonly standing: Standing;
  /** It takes requests, as far as the snapshot and its checks are concerned. */
  readonly passesChecks: boolean;
}

/** By id. */
type Members = ReadonlyMap<string, Member>;

export class Ejector {
  private windowEndsMs: number;

  constructor(nowMs: number) {
    this.windowEndsMs = nowMs + WINDOW_MS;
  }

  /** Returns whether who takes part has changed. @param ejection null where nobody is left out */
  review(members: Members, ejection: Ejection | null, nowMs: number): boolean {
    const windowEnded = nowMs >= this.windowEndsMs;
    let changed = letBack(members, ejection, nowMs);
    if (ejection !== null && (windowEnded || hasRun(members, ejection))) {
      if (leaveOut(members, ejection, windowEnded, nowMs)) changed = true;
    }
    if (windowEnded) {
      this.windowEndsMs = nowMs + WINDOW_MS;
      for (const { standing } of members.values()) standing.conduct.beginWindow();
    }
    return changed;
  }
}

/** Whose time is over; and who fails its checks, since once it passes them it has become another. */
function letBack(members: Members, ejection: Ejection | null, nowMs: number): boolean {
  let changed = false;
  for (const { standing, passesChecks } of members.values()) {
    const { leftOut } = standing;
    if (leftOut === null) {
      if (!passesChecks) standing.conduct.beginAnew();
      continue;
    }
    if (passesChecks && ejection !== null && nowMs < leftOut.untilMs) continue;
    standing.comeBack(nowMs);
    changed = true;
  }
  return changed;
}

/** Nearly always not: then there is nothing to look into. */
function hasRun(members: Members, { consecutiveErrors }: Ejection): boolean {
  for (const { standing } of members.values()) {
    if (standing.conduct.errorsInRow >= consecutiveErrors) return true;
  }
  return false;
}

/** One after the other, so that each is held against those that remain. */
function leaveOut(
  members: Members,
  ejection: Ejection,
  windowEnded: boolean,
  nowMs: number,
): boolean {
  const present = [...members.values()].filter(({ passesChecks }) => passesChecks);
  const taking = present
    .filter(({ standing }) => standing.leftOut === null)
    .map(({ standing }) => standing);
  const room = mostLeftOut(present.length, ejection) - (present.length - taking.length);
  for (let left = 0; left < room; left += 1) {
    const conducts = taking.map(({ conduct }) => conduct);
    const outlier = findOutlier(conducts, ejection, windowEnded);
    if (outlier === null) return left > 0;
    const [standing] = taking.splice(outlier.index, 1);
    standing?.leaveOut(outlier.reason, ejection, nowMs);
  }
  return room > 0;
}
