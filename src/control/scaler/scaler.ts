import type { Clock, Timer } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import type { Environment, EnvironmentKey } from '../../model/environment.ts';
import {
  mostWanted,
  type ScalingDecision,
  type ScalingRecord,
} from '../../model/scaling-decision.ts';
import { decideScaling } from '../../plan/scaling/decide.ts';
import type { ScalingInput } from '../../plan/scaling/scaling.ts';
import type { Store } from '../../store/driver.ts';
import { saveCapacity } from '../capacity.ts';
import type { EventFeed } from '../event-feed.ts';
import { DecisionLog } from './decision-log.ts';
import { Learned } from './learned.ts';
import { isShort } from './runs.ts';
import { type ScalingInputParts, scaledRelease, scalingInput } from './scaling-input.ts';

/**
 * Moves `desired` as the policies of each environment say: what was measured and what is on record
 * make a decision, and the decision is written down together with what it changes. The loop then
 * launches and drains as for any other change of capacity.
 */

/**
 * As Knative's autoscaler. An instance is up within seconds: looking less often would make the
 * decision the longer part of the wait, and looking more often finds the same metrics again.
 */
const SCALING_PERIOD_MS = 2_000;
/** Load that lies around a bound is told of once in so long. */
const SHORTAGE_TOLD_MS = 600_000;

export interface ScalerParts extends ScalingInputParts {
  store: Store;
  feed: EventFeed;
  clock: Clock;
  log: Log;
  wake: (environment: string) => void;
  /** Moves the stamps if the wall clock was set. */
  settleClock: () => void;
}

interface Due {
  environment: Environment;
  input: ScalingInput;
  decision: ScalingDecision;
}

export class Scaler {
  readonly #parts: ScalerParts;
  readonly #decisions: DecisionLog;
  readonly #learned = new Learned();
  readonly #shortageToldAt = new Map<EnvironmentKey, number>();
  #timer: Timer | null = null;

  constructor(parts: ScalerParts) {
    this.#parts = parts;
    this.#decisions = new DecisionLog(parts.store);
  }

  start(): void {
    this.#timer = this.#parts.clock.every(SCALING_PERIOD_MS, () => this.#lookAtAll());
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#decisions.closeAll();
  }

  /** Newest first. */
  decisions(key: EnvironmentKey, limit: number): ScalingRecord[] {
    return this.#decisions.recent(key, limit);
  }

  /** The last decision; null while nothing is decided. */
  last(key: EnvironmentKey): ScalingRecord | null {
    return this.#decisions.last(key);
  }

  /** Something beside the policies has changed what is desired. In the caller's transaction. */
  note(key: EnvironmentKey, to: number, reason: string): void {
    const last = this.last(key);
    if (!last) return;
    const at = Math.round(this.#parts.clock.now());
    const record = { ...last, at, since: at, count: 1, from: last.to, to, reason };
    this.#decisions.add(key, record, this.#decisions.memory(key, at));
  }

  /** What a decision would be made from now; null: nothing is decided. */
  input(environment: Environment): ScalingInput | null {
    const { records, clock } = this.#parts;
    const release = scaledRelease(environment, records);
    if (!release) return null;
    const now = Math.round(clock.now());
    const { key } = environment;
    const memory = this.#decisions.memory(key, now);
    const input = scalingInput(environment, release, memory, now, this.#parts);
    const { policies } = input.scaling;
    if (!policies.some(({ kind }) => kind === 'predict')) return input;
    return { ...input, forecasts: this.#learned.of(key, release.number, input) };
  }

  /** The wall clock was set. */
  move(byMs: number): void {
    const keys = this.#parts.records.environments().map(({ key }) => key);
    this.#decisions.move(keys, byMs);
  }

  #lookAtAll(): void {
    const { records, log, wake } = this.#parts;
    try {
      this.#parts.settleClock();
      const due = records.environments().flatMap((environment) => this.#decide(environment) ?? []);
      if (due.length === 0) return;
      records.transaction(() => {
        for (const each of due) this.#writeDown(each);
      });
      for (const { environment, decision } of due) {
        if (decision.to !== decision.from) wake(environment.key);
      }
    } catch (fault) {
      this.#decisions.reload();
      log.error({ fault: messageOf(fault) }, 'capacity was not looked at; it is in a moment');
    }
  }

  /** One environment that cannot be decided on holds up no other. */
  #decide(environment: Environment): Due | null {
    const { key } = environment;
    try {
      const input = this.input(environment);
      if (input) return { environment, input, decision: decideScaling(input) };
      this.#decisions.close(key);
      this.#shortageToldAt.delete(key);
      this.#learned.forget(key);
    } catch (fault) {
      this.#parts.log.error({ environment: key, fault: messageOf(fault) }, 'no scaling decision');
    }
    return null;
  }

  #writeDown({ environment, input, decision }: Due): void {
    const { records } = this.#parts;
    const { memory, ...told } = decision;
    const { capacity, fleet, bootMs, deploying, points } = input;
    const measured = points.at(-1) ?? null;
    const taken = { capacity, fleet, measured, bootMs, deploying };
    this.#decisions.add(
      environment.key,
      { ...told, ...taken, since: decision.at, count: 1 },
      memory,
    );
    if (decision.to !== decision.from) {
      saveCapacity(environment, { desired: decision.to }, records, decision.at);
      this.#tellChange(environment, decision);
    }
    this.#tellShortage(environment, decision);
  }

  #tellChange({ key }: Environment, { from, to, reason }: ScalingDecision): void {
    this.#parts.feed.publish({
      environment: key,
      severity: 'info',
      type: to > from ? 'scaled-out' : 'scaled-in',
      message: `desired ${from} → ${to}: ${reason}`,
    });
  }

  #tellShortage({ key }: Environment, decision: ScalingDecision): void {
    if (!isShort(decision)) return;
    const toldAt = this.#shortageToldAt.get(key);
    if (toldAt !== undefined && decision.at - toldAt < SHORTAGE_TOLD_MS) return;
    this.#shortageToldAt.set(key, decision.at);
    this.#parts.feed.publish({
      environment: key,
      severity: 'warning',
      type: 'scaling-at-max',
      message: `${mostWanted(decision.opinions)} instances are wanted, and ${decision.max} are allowed`,
    });
  }
}
