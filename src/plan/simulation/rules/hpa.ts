import { type Decided, type Known, type Rule, type Setting, utilisation } from '../rule.ts';

/**
 * Kubernetes' Horizontal Pod Autoscaler with its defaults: as many pods as would be at the target,
 * nothing within the tolerance of it; pods that have not served yet count as idle when it grows. Up at
 * once, by so much in each of its periods; down no lower than anything it recommended in its window.
 *
 * It looks every 15 seconds, and a trace says something new once a minute: the four looks in between
 * see the same, and only its bound on growth is reached in four steps.
 */
const TARGET = 0.6;
const TOLERANCE = 0.1;
const DOWN_WINDOW_MS = 300_000;
const LOOKS_A_MINUTE = 4;
const UP_FACTOR = 2;
const UP_PODS = 4;

export function hpa(setting: Setting, target = TARGET): Rule {
  let recommended: { at: number; pods: number }[] = [];

  function decide(known: Known): Decided {
    const { now, desired } = known;
    const pods = recommendation(known, setting, target);
    recommended = [...recommended, { at: now, pods }].filter(({ at }) => at > now - DOWN_WINDOW_MS);
    const highest = Math.max(...recommended.map((each) => each.pods));
    const stable = pods > desired ? pods : Math.min(desired, highest);
    return {
      desired: Math.min(stable, mostAfterAMinute(desired)),
      reason: `${pods} recommended, at most ${highest} in the last 5 minutes`,
    };
  }

  return { name: 'hpa', decide };
}

function recommendation(known: Known, setting: Setting, target: number): number {
  const { serving, desired, fleet } = known;
  const ratio = utilisation(known, setting) / target;
  if (isTolerable(ratio)) return desired;
  if (ratio < 1) return Math.ceil(ratio * serving);
  const all = Math.max(serving, fleet.inService + fleet.starting);
  const withIdle = (ratio * serving) / all;
  if (isTolerable(withIdle) || withIdle < 1) return desired;
  return Math.max(desired, Math.ceil(withIdle * all));
}

const isTolerable = (ratio: number): boolean => Math.abs(ratio - 1) <= TOLERANCE;

function mostAfterAMinute(pods: number): number {
  let most = pods;
  for (let look = 0; look < LOOKS_A_MINUTE; look += 1) {
    most = Math.max(most * UP_FACTOR, most + UP_PODS);
  }
  return most;
}
