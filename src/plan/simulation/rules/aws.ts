import { type Decided, type Known, type Rule, type Setting, utilisation } from '../rule.ts';

/**
 * Target tracking as AWS does it: two alarms on the utilisation of a minute. Out when it was above
 * the target in 3 minutes of 3, in when it was below a lower line in 15 of 15; then so many instances
 * that the last minute would have been at the target. Additions round up and removals down. An alarm
 * begins to count anew with every change; no scale-in while a scale-out runs.
 *
 * The lower line is at 90 % of the target, as with Application Auto Scaling. With the 70 % that is seen
 * with groups of EC2, it is as seldom short and costs a twentieth more.
 */
const TARGET = 0.6;
const LOWER_LINE = 0.9;
const OUT_MINUTES = 3;
const IN_MINUTES = 15;

export function aws(setting: Setting, target = TARGET): Rule {
  let above = 0;
  let below = 0;

  function decide(known: Known): Decided {
    const used = utilisation(known, setting);
    above = used > target ? above + 1 : 0;
    below = used < LOWER_LINE * target ? below + 1 : 0;
    const desired = alarmed(known, used);
    if (desired !== known.desired) {
      above = 0;
      below = 0;
    }
    return { desired, reason: `${percent(used)} used, ${percent(target)} is the target` };
  }

  function alarmed({ desired, serving, fleet }: Known, used: number): number {
    const atTarget = Math.ceil((serving * used) / target);
    if (above >= OUT_MINUTES) return Math.max(desired, atTarget);
    if (below >= IN_MINUTES && fleet.starting === 0) {
      below = 0;
      return Math.min(desired, Math.max(setting.min, atTarget));
    }
    return desired;
  }

  return { name: 'aws', decide };
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
