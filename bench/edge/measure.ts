import { type Bound, beside, held, median, type Row, row } from '../report.ts';
import type { Contender } from './contender.ts';
import type { Peer } from './peers.ts';

/** One figure, or a few, that `npm run bench:edge` takes of everybody. */
export interface Measure {
  /** What `--only` calls it. */
  name: string;
  /** Programs without which it is skipped. */
  needs: readonly string[];
  run(bench: Bench): Promise<Row[]>;
}

/** What measures work with. */
export interface Bench {
  /** For what they write; gone at the end. */
  folder: string;
  origin: Contender;
  /** One worker of ours. */
  ours: Contender;
  /** The peers, running. */
  rivals: readonly Contender[];
  /** The same, for measures that start their own. */
  peers: readonly Peer[];
  /** How long one load lasts. */
  seconds: number;
  /** How often each is measured. */
  rounds: number;
}

/** What each gives, in turn and again, so that whatever else the machine does hits all alike. */
export async function inTurn<Subject>(
  subjects: readonly Subject[],
  rounds: number,
  figure: (subject: Subject) => Promise<number>,
): Promise<Map<Subject, number[]>> {
  const figures = new Map(subjects.map((subject) => [subject, [] as number[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [subject, taken] of figures) taken.push(await figure(subject));
  }
  return figures;
}

/** The median of ours beside that of each rival, held to the bound under the rival's name. */
export function rowsBeside(
  title: string,
  figures: ReadonlyMap<Contender, number[]>,
  ours: Contender,
  unit: string,
  bounds: Readonly<Record<string, Bound>>,
): Row[] {
  for (const [contender, values] of figures) {
    process.stderr.write(`  ${contender.name}: ${spread(values)} ${unit}\n`);
  }
  const own = median(figures.get(ours) ?? []);
  const rivals = [...figures].filter(([contender]) => contender !== ours);
  if (rivals.length === 0) return [row(title, own, null, unit)];
  return rivals.map(([{ name }, values]) =>
    held(beside(name, row(title, own, median(values), unit)), bounds[name]),
  );
}

export const ratioAtMost = (value: number): Bound => ({ of: 'ratio', limit: 'at most', value });
export const ratioAtLeast = (value: number): Bound => ({ of: 'ratio', limit: 'at least', value });

/** The median, and from the lowest to the highest, which tells how noisy the machine was. */
const spread = (values: readonly number[]): string =>
  [median(values), Math.min(...values), Math.max(...values)]
    .map((value) => Number(value.toPrecision(3)))
    .join(', ')
    .replace(/, (.*), (.*)/, ' ($1 to $2)');
