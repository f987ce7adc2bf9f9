import type { Decided, Known, Rule, Setting } from '../rule.ts';

/**
 * Knative's pod autoscaler with its defaults: as many pods as the average of the stable window needs
 * at the target. Twice as much as the pods that are ready can take is a panic: until a stable window
 * has passed without it, nothing is taken away.
 *
 * It looks every two seconds, and a trace says something new once a minute, which is its stable window:
 * both of its windows see the same number, and its bounds on growth and shrinkage, of 1000 and 2 for
 * each look, bind nothing.
 */
const TARGET = 0.7;
const STABLE_WINDOW_MS = 60_000;
const PANIC_FACTOR = 2;

export function knative({ unit }: Setting, target = TARGET): Rule {
  let panicAt: number | null = null;
  let mostInPanic = 0;

  function decide({ now, requests, fleet }: Known): Decided {
    const pods = Math.ceil(requests / (unit * target));
    if (pods >= PANIC_FACTOR * Math.max(1, fleet.inService)) panicAt = now;
    else if (panicAt !== null && panicAt + STABLE_WINDOW_MS < now) panicAt = null;
    mostInPanic = panicAt === null ? 0 : Math.max(mostInPanic, pods);
    return {
      desired: Math.max(pods, mostInPanic),
      reason: `${pods} for the last minute${panicAt === null ? '' : ', in panic'}`,
    };
  }

  return { name: 'knative', decide };
}
