import type { Clock } from '../../kernel/clock.ts';
import type { Gone, LedgerRow } from '../../model/ledger.ts';
import type { Snapshot } from '../../model/snapshot.ts';

/** Longer than a drain, so that nothing can be counted there any more … */
const POOL_ABSENCE_MS = 60 * 60_000;
/** … and longer than anybody asks about an environment that is not there. */
const ENVIRONMENT_ABSENCE_MS = 24 * 60 * 60_000;

/** Since when pools and environments that were counted have been out of the routing state. */
export class Absences {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #pools = new Map<string, number>();
  #environments = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Which of them are long gone, by what is counted and what is routed to now. */
  gone(rows: readonly LedgerRow[], snapshot: Snapshot | null): Gone {
    const nowMs = this.#clock.monotonic();
    const pools = snapshot?.pools ?? [];
    this.#pools = absent(this.#pools, poolsOf(rows), new Set(pools.map(({ id }) => id)), nowMs);
    this.#environments = absent(
      this.#environments,
      environmentsOf(rows),
      new Set([...pools, ...(snapshot?.rules ?? [])].map(({ environment }) => environment)),
      nowMs,
    );
    return {
      pools: longer(this.#pools, nowMs - POOL_ABSENCE_MS),
      environments: longer(this.#environments, nowMs - ENVIRONMENT_ABSENCE_MS),
    };
  }
}

function absent(
  since: ReadonlyMap<string, number>,
  counted: readonly string[],
  present: ReadonlySet<string>,
  nowMs: number,
): Map<string, number> {
  const names = counted.filter((name) => name !== '' && !present.has(name));
  return new Map(names.map((name) => [name, since.get(name) ?? nowMs]));
}

function longer(since: ReadonlyMap<string, number>, untilMs: number): Set<string> {
  return new Set([...since].filter(([, at]) => at <= untilMs).map(([name]) => name));
}

const poolsOf = (rows: readonly LedgerRow[]): string[] => rows.map(({ pool }) => pool);

/** Those whose last pool has gone, too. */
const environmentsOf = (rows: readonly LedgerRow[]): string[] =>
  rows.filter(({ pool }) => pool === '').map(({ environment }) => environment);
