import type { Rule } from '../../model/snapshot.ts';
import type { Admission } from '../../model/traffic.ts';
import type { RowCounter } from './account.ts';
import { type Picker, pickByWeight, roundRobin, type Weighted } from './picker.ts';
import { RetryBudget } from './retry-budget.ts';
import type { Assignment, Stickiness } from './stickiness.ts';
import type { TargetState } from './target-state.ts';

/** The targets of one group, and which of them may take a request now. */
export class PoolState {
  readonly id: string;
  readonly budget: RetryBudget;
  readonly targets = new Map<string, TargetState>();
  /** For requests that ended without a target. */
  readonly row: RowCounter;
  healthy: TargetState[] = [];
  /** Failing now, but healthy once: better than nothing. */
  failing: TargetState[] = [];
  private readonly picker: Picker<TargetState> = roundRobin();

  constructor(id: string, row: RowCounter, nowMs: number) {
    this.id = id;
    this.row = row;
    this.budget = new RetryBudget(nowMs);
  }

  /** To be called when a target's state or health has changed. */
  refresh(): void {
    const active = [...this.targets.values()].filter((target) => target.active);
    this.healthy = active.filter((target) => target.health === 'healthy');
    this.failing = active.filter((target) => target.health === 'unhealthy' && target.admitted);
  }

  pick(failOpen: boolean, avoid: TargetState | null, nowMs: number): TargetState | null {
    return this.picker.pick(failOpen ? this.failing : this.healthy, avoid, nowMs);
  }
}

export interface WeightedPool extends Weighted {
  readonly pool: PoolState;
}

/** Where the requests for some names go. */
export class Route {
  readonly environment: string;
  readonly admission: Admission;
  /** Null where sessions do not stick. */
  readonly stickiness: Stickiness | null = null;
  /** There are targets, and all have as much inside them as they may. */
  readonly atCapacity = false;
  private readonly pools: WeightedPool[];
  private readonly poolless: RowCounter;
  private choices: WeightedPool[] = [];
  private failOpen = false;

  constructor(
    { environment, admission }: Pick<Rule, 'environment' | 'admission'>,
    pools: WeightedPool[],
    poolless: RowCounter,
  ) {
    this.environment = environment;
    this.admission = admission;
    this.pools = pools;
    this.poolless = poolless;
  }

  /** To be called when a pool's usable targets have changed. */
  refresh(): void {
    const weighted = this.pools.filter(({ weight }) => weight > 0);
    this.choices = weighted.filter(({ pool }) => pool.healthy.length > 0);
    this.failOpen = this.choices.length === 0;
    if (this.failOpen) this.choices = weighted.filter(({ pool }) => pool.failing.length > 0);
  }

  pick(
    _assignment: Assignment | null,
    avoid: TargetState | null,
    nowMs: number,
  ): TargetState | null {
    const only = this.choices.length === 1 ? this.choices[0] : pickByWeight(this.choices);
    return only ? only.pool.pick(this.failOpen, avoid, nowMs) : null;
  }

  /** The row of a request that found no target. */
  get row(): RowCounter {
    return this.pools[0]?.pool.row ?? this.poolless;
  }
}
