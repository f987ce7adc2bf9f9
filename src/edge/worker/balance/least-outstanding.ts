import type { Pickable, Picker } from './picker.ts';
import { leastBad } from './picker.ts';
import { shareOf, takesTurn } from './slow-start.ts';

/**
 * The one with the fewest requests inside; among equals, each in its turn. Upgraded connections do
 * not count: they are mostly silent, and whoever has none of them yet would get every request.
 *
 * In slow start, what is inside counts as so much more as the share is less than whole; and since
 * a target with nothing inside would still win all the time, it wins its share of the times.
 */
export function leastOutstanding<Choice extends Pickable>(): Picker<Choice> {
  let turn = 0;

  function fewest(
    choices: readonly Choice[],
    avoid: Choice | null,
    nowMs: number,
    withSlow: boolean,
  ): Choice | null {
    const count = choices.length;
    let best: Choice | null = null;
    let bestLoad = 0;
    let bestAt = turn;
    for (let i = 1, at = turn; i <= count; i += 1) {
      at = at + 1 >= count ? 0 : at + 1;
      const choice = choices[at];
      if (choice === undefined || choice.inFlight >= choice.mostInFlight) continue;
      if (choice === avoid || choice.suspectUntilMs > nowMs) continue;
      const isSlow = choice.slowUntilMs > nowMs;
      if (isSlow && !withSlow) continue;
      const load = isSlow ? choice.inFlight / shareOf(choice, nowMs) : choice.inFlight;
      if (best !== null && load >= bestLoad) continue;
      best = choice;
      bestLoad = load;
      bestAt = at;
    }
    if (best !== null) turn = bestAt;
    return best;
  }

  return {
    pick(choices, avoid, nowMs) {
      const best = fewest(choices, avoid, nowMs, true);
      if (best === null) return leastBad(choices, avoid);
      return takesTurn(best, nowMs) ? best : (fewest(choices, avoid, nowMs, false) ?? best);
    },
  };
}
