import type { Pickable, Picker } from './picker.ts';
import { shareOf } from './slow-start.ts';

/** Envoy's overprovisioning factor: a zone that has lost two of seven can still carry all of its own. */
const OVERPROVISIONING = 1.4;

interface Placed extends Pickable {
  readonly zone: string | null;
}

/**
 * The own zone first: it takes all requests while it is whole, and once its healthy share has
 * fallen below 1 / 1.4, only 1.4 × that share. The rest, and what finds no room, goes to the others.
 */
export class ZonePreference<Choice extends Placed> {
  readonly zone: string;
  private readonly nearPicker: Picker<Choice>;
  private readonly farPicker: Picker<Choice>;
  private near: Choice[] = [];
  private far: Choice[] = [];
  /** Of the own zone, those that were healthy once. */
  private nearTotal = 0;
  private share = 0;
  /** Until then one of the own zone's is in slow start. */
  private slowUntilMs = 0;
  private credit = 0;

  constructor(zone: string, newPicker: () => Picker<Choice>) {
    this.zone = zone;
    this.nearPicker = newPicker();
    this.farPicker = newPicker();
  }

  /** @param failing were healthy once: what the own zone has lost */
  refresh(healthy: readonly Choice[], failing: readonly Choice[]): void {
    this.near = healthy.filter(({ zone }) => zone === this.zone);
    this.far = healthy.filter(({ zone }) => zone !== this.zone);
    this.nearTotal = this.near.length + failing.filter(({ zone }) => zone === this.zone).length;
    this.share = this.shareFor(this.near.length);
    this.slowUntilMs = this.near.reduce((last, each) => Math.max(last, each.slowUntilMs), 0);
  }

  pick(avoid: Choice | null, nowMs: number): Choice | null {
    const isNear = this.isNearsTurn(nowMs);
    const first = isNear ? this.pickNear(avoid, nowMs) : this.pickFar(avoid, nowMs);
    if (first !== null && first !== avoid && first.suspectUntilMs <= nowMs) return first;
    return (isNear ? this.pickFar(avoid, nowMs) : this.pickNear(avoid, nowMs)) ?? first;
  }

  private pickNear(avoid: Choice | null, nowMs: number): Choice | null {
    return this.nearPicker.pick(this.near, avoid, nowMs);
  }

  private pickFar(avoid: Choice | null, nowMs: number): Choice | null {
    return this.farPicker.pick(this.far, avoid, nowMs);
  }

  private isNearsTurn(nowMs: number): boolean {
    const share = this.slowUntilMs > nowMs ? this.shareInSlowStart(nowMs) : this.share;
    if (share >= 1) return true;
    this.credit += share;
    if (this.credit < 1) return false;
    this.credit -= 1;
    return true;
  }

  private shareInSlowStart(nowMs: number): number {
    let whole = 0;
    for (const each of this.near) whole += shareOf(each, nowMs);
    return this.shareFor(whole);
  }

  /** @param whole targets of the own zone that take their share, in parts too */
  private shareFor(whole: number): number {
    if (this.far.length === 0) return 1;
    return this.nearTotal === 0 ? 0 : Math.min(1, (OVERPROVISIONING * whole) / this.nearTotal);
  }
}
