import type { Balancing } from '../../model/traffic.ts';
import type { RowCounter } from './account.ts';
import { pickerFor } from './balance/algorithms.ts';
import { hasRoom, type Picker } from './balance/picker.ts';
import { ZonePreference } from './balance/zone-preference.ts';
import { Ejector } from './ejector.ts';
import { RetryBudget } from './retry-budget.ts';
import type { Tagged } from './session-signer.ts';
import type { TargetState } from './target-state.ts';

interface Dependencies {
  /** The next number from 0 to below 1. */
  random: () => number;
  /** Told when there may be room for the requests of an environment. */
  onRoom: (environment: string) => void;
  /** Told when one is left out that was not, or the other way about. */
  onLeftOut: () => void;
}

/** The targets of one group, and which of them may take a request now. */
export class PoolState implements Tagged {
  readonly id: string;
  readonly budget: RetryBudget;
  readonly targets = new Map<string, TargetState>();
  /** For requests that ended without a target. */
  readonly row: RowCounter;
  /** Those whose requests may come here. */
  environments = new Set<string>();
  healthy: TargetState[] = [];
  /** Not to be used now, but healthy once: better than nothing. */
  failing: TargetState[] = [];
  balancing: Balancing;
  tag: Tagged['tag'] = null;
  /** Under which a request that was here would come back; empty where none can. */
  loopName = '';
  private picker: Picker<TargetState>;
  private readonly ejector: Ejector;
  /** Null where no zone is preferred. */
  private preference: ZonePreference<TargetState> | null = null;
  private readonly dependencies: Dependencies;

  constructor(
    id: string,
    row: RowCounter,
    balancing: Balancing,
    nowMs: number,
    dependencies: Dependencies,
  ) {
    this.id = id;
    this.row = row;
    this.budget = new RetryBudget(nowMs);
    this.balancing = balancing;
    this.dependencies = dependencies;
    this.picker = this.newPicker();
    this.ejector = new Ejector(nowMs);
  }

  /** Takes what the snapshot says. @param zone the edge's own; null for none */
  update(balancing: Balancing, zone: string | null): void {
    const changed = balancing.algorithm !== this.balancing.algorithm;
    this.balancing = balancing;
    if (changed) this.picker = this.newPicker();
    if (zone === null) this.preference = null;
    else if (changed || this.preference?.zone !== zone) {
      this.preference = new ZonePreference(zone, () => this.newPicker());
    }
  }

  /** To be called when a target's state or health has changed. */
  refresh(nowMs: number): void {
    let healthy: TargetState[] = [];
    let failing: TargetState[] = [];
    for (const target of this.targets.values()) {
      if (target.isFit) healthy.push(target);
      else if (target.wasFit) failing.push(target);
      else target.leaveRotation();
    }
    if (healthy.length === 0) {
      // One that is left out passes its checks all the same, and is better than those that do not.
      healthy = failing.filter(({ passesChecks }) => passesChecks);
      failing = failing.filter(({ passesChecks }) => !passesChecks);
    }
    const { slowStartMs } = this.balancing;
    const slowMs = healthy.some((target) => target.hasFullShare(nowMs)) ? slowStartMs : 0;
    for (const target of healthy) target.joinHealthy(slowMs, nowMs);
    for (const target of failing) target.joinFailing();
    this.healthy = healthy;
    this.failing = failing;
    this.preference?.refresh(healthy, failing);
  }

  /** @param failOpen there is no healthy target anywhere: take one of the failing */
  pick(failOpen: boolean, avoid: TargetState | null, nowMs: number): TargetState | null {
    if (failOpen) return this.picker.pick(this.failing, avoid, nowMs);
    if (this.preference !== null) return this.preference.pick(avoid, nowMs);
    return this.picker.pick(this.healthy, avoid, nowMs);
  }

  hasRoom(failOpen: boolean): boolean {
    return (failOpen ? this.failing : this.healthy).some(hasRoom);
  }

  /** Some target passes its checks and has not just refused a connection. */
  isReachable(nowMs: number): boolean {
    return this.healthy.some(({ suspectUntilMs }) => suspectUntilMs <= nowMs);
  }

  /** One of its targets that had no room has some. */
  roomAppeared(): void {
    for (const environment of this.environments) this.dependencies.onRoom(environment);
  }

  /** Decides who is left out for what it has answered. Returns whether that has changed. */
  review(nowMs: number): boolean {
    return this.ejector.review(this.targets, this.balancing.ejection, nowMs);
  }

  /** A target has just answered so badly that the next requests should not go there. */
  reviewNow(nowMs: number): void {
    if (this.review(nowMs)) this.dependencies.onLeftOut();
  }

  private newPicker(): Picker<TargetState> {
    return pickerFor(this.balancing.algorithm, this.dependencies.random);
  }
}
