import type { Clock } from '../../kernel/clock.ts';
import type { Pool, Rule, Snapshot } from '../../model/snapshot.ts';
import { CacheRoute } from '../cache/cache-route.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import type { Limits } from '../limits.ts';
import type { HealthEntry } from '../link.ts';
import type { Account } from './account.ts';
import { Demand } from './demand.ts';
import { loopField, loopName } from './loop-guard.ts';
import { PoolState } from './pool-state.ts';
import { Route, type WeightedPool } from './route.ts';
import { SessionSigner } from './session-signer.ts';
import { Stickiness } from './stickiness.ts';
import { TargetState } from './target-state.ts';
import { Wake } from './wake.ts';

interface Dependencies {
  clock: Clock;
  limits: Limits;
  account: Account;
  onDrained: () => void;
  /** The next number from 0 to below 1. */
  random: () => number;
  /** What answers are kept in; made when it is first asked for. */
  cache: () => ResponseCache;
  /** Told when there may be room for the requests of an environment. */
  onRoom: (environment: string) => void;
}

/**
 * The routing state in force: a snapshot's rules, with pools and targets that keep their
 * connections and counts from one snapshot to the next.
 */
export class RoutingTable {
  /** The snapshot in force; 0 before the first. */
  number = 0;
  /** How often it has changed who is left out. */
  leftOutChanges = 0;
  private readonly dependencies: Dependencies;
  private routes: Route[] = [];
  private exact = new Map<string, Route>();
  /** By what stands behind `*.`. */
  private wildcards = new Map<string, Route>();
  private fallback: Route | null = null;
  private pools = new Map<string, PoolState>();
  /** Targets gone from the snapshot with something still inside. */
  private leaving = new Set<TargetState>();
  /** By pool and target; kept apart, because news of a target may come before the target. */
  private health = new Map<string, HealthEntry>();
  /** By environment, of those that sleep; they go on from one snapshot to the next. */
  private readonly demands = new Map<string, Demand>();
  /** Null where nothing can be signed. */
  private signer: SessionSigner | null = null;

  constructor(dependencies: Dependencies) {
    this.dependencies = dependencies;
  }

  /** Routes by this snapshot from now on. */
  apply(snapshot: Snapshot): void {
    const before = this.pools;
    this.pools = new Map(
      snapshot.pools.map((pool) => [pool.id, this.updatePool(pool, snapshot, before.get(pool.id))]),
    );
    for (const [id, pool] of before) {
      if (!this.pools.has(id)) for (const target of pool.targets.values()) this.takeOut(target);
    }
    this.setRules(snapshot);
    this.number = snapshot.number;
    this.refresh();
  }

  updateHealth(entries: readonly HealthEntry[]): void {
    for (const entry of entries) {
      this.health.set(healthKey(entry.pool, entry.target), entry);
      const target = this.pools.get(entry.pool)?.targets.get(entry.target);
      if (target) this.setHealth(target);
    }
    this.refresh();
  }

  /** To be called when targets may be in rotation that were not, or the other way about. */
  refresh(): void {
    const nowMs = this.dependencies.clock.monotonic();
    for (const pool of this.pools.values()) pool.refresh(nowMs);
    for (const route of this.routes) route.refresh();
  }

  /** The most specific rule for a name: itself, then one label wild, then any. */
  find(hostName: string): Route | null {
    const exact = this.exact.get(hostName);
    if (exact !== undefined) return exact;
    const dot = hostName.indexOf('.');
    return (dot > 0 ? this.wildcards.get(hostName.slice(dot + 1)) : undefined) ?? this.fallback;
  }

  /** Some environment falls asleep when nobody wants it. */
  get watchesDemand(): boolean {
    return this.demands.size > 0;
  }

  /** How long nobody has wanted each environment that falls asleep then. */
  quietMs(nowMs: number): Record<string, number> {
    return Object.fromEntries(
      [...this.demands].map(([environment, demand]) => [environment, demand.quietMs(nowMs)]),
    );
  }

  /** The environments of which nothing runs until somebody wants it. */
  asleep(): string[] {
    return this.routes.flatMap(({ environment, wake }) => (wake?.asleep ? environment : []));
  }

  /** Every target with something inside it, or that may get something. */
  *targets(): Iterable<TargetState> {
    for (const pool of this.pools.values()) yield* pool.targets.values();
    yield* this.leaving;
  }

  /** Whether something may still be counted there. */
  uses(pool: string): boolean {
    if (this.pools.has(pool)) return true;
    return [...this.leaving].some((target) => target.pool === pool && !target.empty);
  }

  sweep(nowMs: number): void {
    for (const target of this.targets()) target.sweepIdle(nowMs);
    const changed = [...this.pools.values()].filter((pool) => pool.review(nowMs));
    if (changed.length === 0) return;
    this.leftOutChanged();
    for (const pool of changed) pool.roomAppeared();
  }

  /** Forgets targets that were taken out, once their emptiness has been reported. */
  forgetEmpty(): void {
    for (const target of this.leaving) if (target.empty) this.leaving.delete(target);
  }

  private leftOutChanged(): void {
    this.leftOutChanges += 1;
    this.refresh();
  }

  private updatePool(
    pool: Pool,
    { settings, cookieKey }: Snapshot,
    existing: PoolState | undefined,
  ): PoolState {
    const { clock, account } = this.dependencies;
    const key = { pool: pool.id, environment: pool.environment, release: pool.release };
    const state =
      existing ??
      new PoolState(
        pool.id,
        account.row({ ...key, zone: null }),
        pool.balancing,
        clock.monotonic(),
        { ...this.dependencies, onLeftOut: () => this.leftOutChanged() },
      );
    state.update(pool.balancing, settings.zone);
    state.loopName = loopName(pool, cookieKey);
    const listed = new Set(pool.targets.map((target) => target.id));
    for (const target of state.targets.values()) {
      if (!listed.has(target.id)) this.takeOut(target, state);
    }
    for (const target of pool.targets) {
      const known = state.targets.get(target.id);
      let current = known;
      if (current && (current.host !== target.host || current.port !== target.port)) {
        this.takeOut(current, state);
        current = undefined;
      }
      if (!current) {
        const row = account.row({ ...key, zone: target.zone });
        current = new TargetState(target, state, row, this.dependencies);
        if (known !== undefined) current.traffic = known.traffic;
        state.targets.set(target.id, current);
        this.setHealth(current);
      }
      current.balance(pool.balancing);
      current.loopField = loopField(state.loopName);
      current.update(target);
    }
    return state;
  }

  private takeOut(target: TargetState, pool?: PoolState): void {
    pool?.targets.delete(target.id);
    this.health.delete(healthKey(target.pool, target.id));
    target.update(null);
    this.leaving.add(target);
  }

  private setHealth(target: TargetState): void {
    const entry = this.health.get(healthKey(target.pool, target.id));
    if (!entry) return;
    target.health = entry.health;
    target.admitted = entry.admitted;
  }

  private setRules(snapshot: Snapshot): void {
    const before = new Map(this.routes.map((route) => [route.environment, route]));
    if (snapshot.cookieKey !== (this.signer?.key ?? '')) {
      this.signer = snapshot.cookieKey === '' ? null : new SessionSigner(snapshot.cookieKey);
    }
    this.routes = [];
    this.exact = new Map();
    this.wildcards = new Map();
    this.fallback = null;
    for (const pool of this.pools.values()) pool.environments.clear();
    this.forgetDemands(snapshot);
    for (const rule of snapshot.rules) {
      const pools = this.weightedPools(rule, before.get(rule.environment));
      for (const { pool } of pools) pool.environments.add(rule.environment);
      const { poolless } = this.dependencies.account;
      const stickiness = this.stickinessFor(rule, pools);
      const route = new Route(
        rule,
        pools,
        stickiness,
        this.wakeFor(rule),
        this.cacheFor(rule, snapshot.settings.zone),
        poolless,
      );
      this.routes.push(route);
      for (const host of rule.hosts) {
        if (host === '*') this.fallback = route;
        else if (host.startsWith('*.')) this.wildcards.set(host.slice(2), route);
        else this.exact.set(host, route);
      }
    }
  }

  private weightedPools(rule: Rule, before: Route | undefined): WeightedPool[] {
    return rule.forward.flatMap(({ pool: id, weight }) => {
      const pool = this.pools.get(id);
      return pool ? [{ pool, weight, credit: before?.creditOf(pool, weight) ?? 0 }] : [];
    });
  }

  /** Whoever is inside an environment that sleeps no more need not be counted. */
  private forgetDemands({ rules }: Snapshot): void {
    const sleeping = new Set(
      rules.flatMap(({ environment, wake }) => (wake === null ? [] : environment)),
    );
    for (const environment of this.demands.keys()) {
      if (!sleeping.has(environment)) this.demands.delete(environment);
    }
  }

  private wakeFor({ environment, wake }: Rule): Wake | null {
    if (wake === null) return null;
    const known = this.demands.get(environment);
    const demand = known ?? new Demand(this.dependencies.clock.monotonic());
    this.demands.set(environment, demand);
    return new Wake(wake, demand);
  }

  private cacheFor({ environment, cache }: Rule, zone: string | null): CacheRoute | null {
    if (cache === null) return null;
    return new CacheRoute(this.dependencies.cache(), environment, cache, zone);
  }

  private stickinessFor(rule: Rule, pools: readonly WeightedPool[]): Stickiness | null {
    if (this.signer === null || (rule.stickyMs === null && rule.poolStickyMs === null)) return null;
    const taking = pools.filter(({ weight }) => weight > 0).map(({ pool }) => pool);
    return new Stickiness(rule, taking, this.signer, this.dependencies.clock);
  }
}

const healthKey = (pool: string, target: string): string => `${pool} ${target}`;
