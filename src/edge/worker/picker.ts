/** How one of several targets is chosen, request by request. */
export interface Picker<Choice extends Pickable> {
  /**
   * One of the choices: not one that is better left alone now, nor the one to avoid, unless there
   * is no other. Null only when there are none.
   */
  pick(choices: readonly Choice[], avoid: Choice | null, nowMs: number): Choice | null;
}

export interface Pickable {
  /** A connection to it was refused a moment ago: better left alone until then. */
  suspectUntilMs: number;
}

/** Each in its turn. */
export function roundRobin<Choice extends Pickable>(): Picker<Choice> {
  let turn = 0;
  return {
    pick(choices, avoid, nowMs) {
      const count = choices.length;
      let secondBest: Choice | null = null;
      for (let i = 0; i < count; i += 1) {
        turn = turn + 1 >= count ? 0 : turn + 1;
        const choice = choices[turn];
        if (choice === undefined) continue;
        if (choice !== avoid && choice.suspectUntilMs <= nowMs) return choice;
        if (secondBest === null || secondBest === avoid) secondBest = choice;
      }
      return secondBest;
    },
  };
}

/** Something with a share; `credit` belongs to `pickByWeight`. */
export interface Weighted {
  readonly weight: number;
  credit: number;
}

/** nginx's smooth weighted round robin: exact shares, and no runs of the heaviest. */
export function pickByWeight<Choice extends Weighted>(choices: readonly Choice[]): Choice | null {
  let best: Choice | null = null;
  let total = 0;
  for (const choice of choices) {
    choice.credit += choice.weight;
    total += choice.weight;
    if (best === null || choice.credit > best.credit) best = choice;
  }
  if (best !== null) best.credit -= total;
  return best;
}
