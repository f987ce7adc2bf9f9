import type { EdgeDriver, EdgeEvent, EdgeStatus } from '../edge/driver.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { TargetStatus } from '../model/target.ts';
import type { ObservedTarget } from '../plan/observation.ts';

/** What the edge last said of its targets and its snapshot, kept up to date by its events. */
export class EdgeView {
  connected = false;
  /** The newest snapshot in force on every worker; null while the edge cannot be asked. */
  acknowledged: number | null = null;
  /** Environments that are asleep while requests wait for them. */
  wanted: ReadonlySet<string> = new Set();
  readonly #targets = new Map<string, TargetStatus>();
  #stop: (() => void) | null = null;

  watch(edge: EdgeDriver, onEvent: (event: EdgeEvent) => void): void {
    this.#stop = edge.watch((event) => {
      if (event.kind === 'targets') this.#keep(event.targets);
      if (event.kind === 'wanted') this.wanted = new Set(event.environments);
      if (event.kind === 'connected') this.replace(event.status);
      if (event.kind === 'disconnected') {
        this.connected = false;
        this.acknowledged = null;
      }
      onEvent(event);
    });
  }

  replace(status: EdgeStatus): void {
    this.connected = true;
    this.acknowledged = status.snapshot;
    this.wanted = new Set(status.wanted);
    const before = new Map(this.#targets);
    this.#targets.clear();
    this.#keep(status.targets, before);
  }

  /** The wall clock was set: since when a target has its health moves along. */
  move(byMs: number): void {
    for (const [key, target] of this.#targets) {
      const standby = target.standby && { ...target.standby, since: target.standby.since + byMs };
      const since = target.since + byMs;
      const { deepFailingSince } = target;
      this.#targets.set(key, {
        ...target,
        since,
        ...(standby && { standby }),
        ...(deepFailingSince !== undefined && { deepFailingSince: deepFailingSince + byMs }),
      });
    }
  }

  /** Every worker routes by this snapshot; targets it no longer has are forgotten. */
  acknowledge(snapshot: Snapshot): void {
    this.acknowledged = Math.max(this.acknowledged ?? 0, snapshot.number);
    const known = new Set(
      snapshot.pools.flatMap((pool) => pool.targets.map(({ id }) => keyOf(pool.id, id))),
    );
    for (const key of this.#targets.keys()) if (!known.has(key)) this.#targets.delete(key);
  }

  target(pool: string, id: string): ObservedTarget | null {
    return this.#targets.get(keyOf(pool, id)) ?? null;
  }

  targets(): Iterable<TargetStatus> {
    return this.#targets.values();
  }

  close(): void {
    this.#stop?.();
  }

  #keep(
    targets: readonly TargetStatus[],
    before: ReadonlyMap<string, TargetStatus> = this.#targets,
  ): void {
    for (const target of targets) {
      const key = keyOf(target.pool, target.id);
      const known = before.get(key);
      // The edge does not move its stamps when the clock is set; ours of the same health holds.
      const since = known?.health === target.health ? known.since : target.since;
      const standby = standbyOf(target, known);
      const deepFailingSince = deepFailureOf(target, known);
      this.#targets.set(key, {
        ...target,
        since,
        ...(standby && { standby }),
        ...(deepFailingSince !== undefined && { deepFailingSince }),
      });
    }
  }
}

function standbyOf({ standby }: TargetStatus, known: TargetStatus | undefined) {
  return known?.standby?.condition === standby?.condition ? known?.standby : standby;
}

const deepFailureOf = ({ deepFailingSince }: TargetStatus, known: TargetStatus | undefined) =>
  deepFailingSince === undefined ? undefined : (known?.deepFailingSince ?? deepFailingSince);

const keyOf = (pool: string, target: string): string => `${pool} ${target}`;
