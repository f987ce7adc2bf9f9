import type { DeploymentKind } from '../model/deployment.ts';
import type { Freeze } from '../model/freeze.ts';
import { type Windows, windowText } from '../model/window.ts';
import { isOpen, nextOpening } from './windows.ts';

/**
 * Whether a deployment may start now: not while the environment is frozen, and not outside of its
 * windows. What brings nothing new, a rollback or a restart, always may: neither must ever stand
 * between somebody and a cure. What runs already goes on.
 */
export type Gate =
  | { open: true }
  | {
      open: false;
      code: 'deployments-frozen' | 'outside-window';
      /** A sentence. */
      why: string;
      /** Null: when somebody lifts the freeze. */
      opensAt: number | null;
    };

export function gateOf(
  kind: DeploymentKind,
  freeze: Freeze | null,
  windows: Windows,
  now: number,
): Gate {
  if (kind === 'rollback' || kind === 'restart') return { open: true };
  if (freeze && (freeze.until === null || now < freeze.until)) {
    const opensAt = freeze.until === null ? null : nextOpening(windows, freeze.until);
    return { open: false, code: 'deployments-frozen', why: freezeText(freeze), opensAt };
  }
  if (isOpen(windows, now)) return { open: true };
  const ranges = windows.ranges.map(windowText).join('; ');
  const why = `deployments start only ${ranges} (${windows.timeZone})`;
  return { open: false, code: 'outside-window', why, opensAt: nextOpening(windows, now) };
}

/** `frozen by ann since 2026-11-21T15:00:00.000Z: release week`. */
function freezeText({ by, since, reason }: Freeze): string {
  const who = by === null ? '' : ` by ${by}`;
  const why = reason === null ? '' : `: ${reason}`;
  return `frozen${who} since ${new Date(since).toISOString()}${why}`;
}
