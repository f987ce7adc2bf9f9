import type { Pickable, Picker } from './picker.ts';
import { takesTurn } from './slow-start.ts';

/** Each in its turn. */
export function roundRobin<Choice extends Pickable>(): Picker<Choice> {
  let turn = 0;
  return {
    pick(choices, avoid, nowMs) {
      const count = choices.length;
      /** Those passed over in slow start, and those better left alone: taken when nothing else is. */
      let slow: Choice | null = null;
      let bad: Choice | null = null;
      for (let i = 0; i < count; i += 1) {
        turn = turn + 1 >= count ? 0 : turn + 1;
        const choice = choices[turn];
        if (choice === undefined || choice.inFlight >= choice.mostInFlight) continue;
        if (choice === avoid || choice.suspectUntilMs > nowMs) {
          if (bad === null || bad === avoid) bad = choice;
        } else if (takesTurn(choice, nowMs)) {
          return choice;
        } else if (slow === null || choice.turnCredit > slow.turnCredit) {
          slow = choice;
        }
      }
      if (slow === null) return bad;
      slow.turnCredit = 0;
      return slow;
    },
  };
}
