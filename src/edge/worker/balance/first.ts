import { hasRoom, leastBad, type Pickable, type Picker } from './picker.ts';

/** The first in the order they are listed: the others are there for when it is out, or full. */
export function first<Choice extends Pickable>(): Picker<Choice> {
  return {
    pick(choices, avoid, nowMs) {
      for (const choice of choices) {
        if (choice !== avoid && choice.suspectUntilMs <= nowMs && hasRoom(choice)) return choice;
      }
      return leastBad(choices, avoid);
    },
  };
}
