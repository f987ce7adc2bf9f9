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
