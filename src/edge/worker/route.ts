import type { Rule } from '../../model/snapshot.ts';
import type { Admission } from '../../model/traffic.ts';
import type { CacheRoute } from '../cache/cache-route.ts';
import type { RowCounter } from './account.ts';
import { pickByWeight, type Weighted } from './balance/pick-by-weight.ts';
import { hasRoom } from './balance/picker.ts';
import { Guards } from './guards/guards.ts';
import type { PoolState } from './pool-state.ts';
import type { Assignment, Stickiness } from './stickiness.ts';
import type { TargetState } from './target-state.ts';
import type { Wake } from './wake.ts';

export interface WeightedPool extends Weighted {
  readonly pool: PoolState;
}

/** Where the requests for some names go. */
export class Route {
  readonly environment: string;
  readonly admission: Admission;
  /** Null where anybody may ask for anything. */
  readonly guards: Guards | null;
  /** Null where sessions do not stick. */
  readonly stickiness: Stickiness | null;
  /** Null where it never sleeps. */
  readonly wake: Wake | null;
  /** Null where nothing is kept. */
  readonly cache: CacheRoute | null;
  /** What comes with this name has been here before; empty where nothing can. */
  readonly loopName: string;
  /** Sessions stick, and there is more than one pool that one may belong to. */
  isDivided = false;
  private readonly pools: readonly WeightedPool[];
  private readonly poolless: RowCounter;
  private choices: WeightedPool[] = [];
  /** The choice, where there is no other. */
  private only: PoolState | null = null;
  private failOpen = false;

  constructor(
    {
      environment,
      admission,
      guards,
      hosts,
    }: Pick<Rule, 'environment' | 'admission' | 'guards' | 'hosts'>,
    pools: readonly WeightedPool[],
    stickiness: Stickiness | null,
    wake: Wake | null,
    cache: CacheRoute | null,
    poolless: RowCounter,
  ) {
    this.environment = environment;
    this.admission = admission;
    this.guards = guards && new Guards(guards, { environment, hosts });
    this.pools = pools;
    this.loopName = pools.find(({ pool }) => pool.loopName !== '')?.pool.loopName ?? '';
    this.stickiness = stickiness;
    this.wake = wake;
    this.cache = cache;
    this.poolless = poolless;
  }

  /** To be called when a pool's usable targets have changed. */
  refresh(): void {
    const weighted = this.pools.filter(({ weight }) => weight > 0);
    this.choices = weighted.filter(({ pool }) => pool.healthy.length > 0);
    this.isDivided = this.stickiness !== null && this.choices.length > 1;
    this.failOpen = this.choices.length === 0;
    if (this.failOpen) this.choices = weighted.filter(({ pool }) => pool.failing.length > 0);
    this.only = this.choices.length === 1 ? (this.choices[0]?.pool ?? null) : null;
  }

  /**
   * A target with room; null when none is usable, or all are full.
   *
   * @param poolId where it is looked for first, by who is with no target or pool; null: by the weights
   */
  pick(
    assignment: Assignment | null,
    avoid: TargetState | null,
    nowMs: number,
    poolId: string | null = null,
  ): TargetState | null {
    const kept = assignment === null ? null : this.pickAssigned(assignment, avoid, nowMs);
    if (kept !== null) return kept;
    if (this.only !== null) return this.only.pick(this.failOpen, avoid, nowMs);
    const first = poolId === null ? undefined : this.choices.find(({ pool }) => pool.id === poolId);
    return first?.pool.pick(this.failOpen, avoid, nowMs) ?? this.pickAmongPools(avoid, nowMs);
  }

  /** None that passes its checks and takes connections. */
  isOut(nowMs: number): boolean {
    return this.failOpen || !this.choices.some(({ pool }) => pool.isReachable(nowMs));
  }

  /** There are targets, and all have as much inside them as they may. */
  get atCapacity(): boolean {
    return this.choices.length > 0 && !this.choices.some(({ pool }) => pool.hasRoom(this.failOpen));
  }

  /** The row of a request that found no target. */
  get row(): RowCounter {
    return this.pools[0]?.pool.row ?? this.poolless;
  }

  /** What a pool has come to in its turns, so that a new snapshot does not begin them anew. */
  creditOf(pool: PoolState, weight: number): number {
    return this.pools.find((each) => each.pool === pool && each.weight === weight)?.credit ?? 0;
  }

  /** The client's own target, else one of its pool; null when it has to go elsewhere. */
  private pickAssigned(
    assignment: Assignment,
    avoid: TargetState | null,
    nowMs: number,
  ): TargetState | null {
    const home = this.stickiness?.targetOf(assignment) ?? null;
    if (home !== null && home !== avoid && home.suspectUntilMs <= nowMs && hasRoom(home)) {
      // When all fail their checks, a session is still best off where it was.
      if (home.rotation === (this.failOpen ? 'failing' : 'healthy')) return home;
    }
    return this.stickiness?.poolOf(assignment)?.pick(this.failOpen, avoid, nowMs) ?? null;
  }

  private pickAmongPools(avoid: TargetState | null, nowMs: number): TargetState | null {
    const { choices } = this;
    const chosen = pickByWeight(choices);
    if (chosen === null) return null;
    const target = chosen.pool.pick(this.failOpen, avoid, nowMs);
    if (target !== null) return target;
    // It is full. Elsewhere is sooner than later.
    for (const other of choices) {
      const spilled = other === chosen ? null : other.pool.pick(this.failOpen, avoid, nowMs);
      if (spilled !== null) return spilled;
    }
    return null;
  }
}
