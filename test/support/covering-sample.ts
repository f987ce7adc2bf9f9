/**
 * A sample of all combinations in which every pair of values of two dimensions comes up at least
 * once: what goes wrong, goes wrong by two things that meet, as a rule. Greedy, and the same each
 * time.
 */
export type Cell<Dimensions extends Record<string, readonly unknown[]>> = {
  [Name in keyof Dimensions]: Dimensions[Name][number];
};

export function everyCell<const Dimensions extends Record<string, readonly unknown[]>>(
  dimensions: Dimensions,
): Cell<Dimensions>[] {
  let cells: Record<string, unknown>[] = [{}];
  for (const [name, values] of Object.entries(dimensions)) {
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [name]: value })));
  }
  return cells as Cell<Dimensions>[];
}

export function coveringSample<const Dimensions extends Record<string, readonly unknown[]>>(
  dimensions: Dimensions,
): Cell<Dimensions>[] {
  const left = everyCell(dimensions).map((cell) => ({ cell, pairs: pairsOf(cell, dimensions) }));
  const covered = new Set<string>();
  const sample: Cell<Dimensions>[] = [];
  for (;;) {
    let best: (typeof left)[number] | null = null;
    let gain = 0;
    for (const each of left) {
      const fresh = each.pairs.filter((pair) => !covered.has(pair)).length;
      if (fresh <= gain) continue;
      best = each;
      gain = fresh;
    }
    if (best === null) return sample;
    for (const pair of best.pairs) covered.add(pair);
    sample.push(best.cell);
  }
}

function pairsOf(
  cell: Record<string, unknown>,
  dimensions: Record<string, readonly unknown[]>,
): string[] {
  const places = Object.entries(cell).map(
    ([name, value]) => `${name} ${dimensions[name]?.indexOf(value)}`,
  );
  return places.flatMap((first, index) =>
    places.slice(index + 1).map((second) => `${first}, ${second}`),
  );
}
