import type { Pickable, Picker } from './picker.ts';
import { leastBad } from './picker.ts';
import { shareOf } from './slow-start.ts';

/**
 * One at random, each by its weight: 1, and in slow start the share it has come to.
 *
 * @param random the next number from 0 to below 1
 */
export function weightedRandom<Choice extends Pickable>(random: () => number): Picker<Choice> {
  return {
    pick(choices, avoid, nowMs) {
      let total = 0;
      for (const choice of choices) total += weightOf(choice, avoid, nowMs);
      let rest = random() * total;
      let last: Choice | null = null;
      for (const choice of choices) {
        const weight = weightOf(choice, avoid, nowMs);
        if (weight === 0) continue;
        last = choice;
        rest -= weight;
        if (rest < 0) break;
      }
      return last ?? leastBad(choices, avoid);
    },
  };
}

function weightOf(choice: Pickable, avoid: Pickable | null, nowMs: number): number {
  if (choice === avoid || choice.suspectUntilMs > nowMs) return 0;
  return choice.inFlight < choice.mostInFlight ? shareOf(choice, nowMs) : 0;
}
