import type { Clock } from '../../kernel/clock.ts';
import type { HealthCheck } from '../../model/configuration.ts';
import type { Pool, Snapshot, Target } from '../../model/snapshot.ts';
import type { TargetStatus } from '../../model/target.ts';
import type { HealthEntry } from '../link.ts';
import { DeepCheck, type DeepProbe } from './deep-check.ts';
import {
  describe,
  type HealthRecord,
  register,
  standbyHealth,
  withResult,
  withState,
} from './health.ts';
import type { Probe } from './probe.ts';
import { jittered, partOf } from './spread.ts';

/** Health checks of every target of the snapshot, each in a loop of its own. */

/** A new target is asked often, because a deployment waits for it: at first every 50 ms … */
const FAST_INTERVAL_MS = 50;
const FAST_PERIOD_MS = 5_000;
/** … then every 100 ms, and no more often than it is configured after a minute. */
const INITIAL_INTERVAL_MS = 100;
const INITIAL_PERIOD_MS = 60_000;

/** What is kept on disk, so that a new supervisor goes on where the last one was. */
export type KeptHealth = Record<string, { address: string; record: HealthRecord }>;

export interface Checks {
  /** Takes over what an earlier supervisor knew; before the first `update`. */
  restore(kept: KeptHealth): void;
  /** Follows a snapshot; returns the entries that changed, for the workers to have first. */
  update(snapshot: Snapshot): HealthEntry[];
  entries(): HealthEntry[];
  statuses(): Omit<TargetStatus, 'inFlight' | 'tunnels' | 'ejection'>[];
  kept(): KeptHealth;
  close(): void;
}

export interface ChecksOptions {
  clock: Clock;
  probe: Probe;
  deepProbe: DeepProbe;
  /** Health has changed by a check; descriptions alone count too. */
  onChange(entry: HealthEntry): void;
  /** What a target says of its parts has changed. */
  onDeepChange(): void;
}

interface Checked {
  pool: string;
  target: Target;
  check: HealthCheck;
  record: HealthRecord;
  /** Ends its loop; null while it is not checked. */
  loop: AbortController | null;
  deep: DeepCheck;
}

export function healthChecks(options: ChecksOptions): Checks {
  const { clock, probe, deepProbe, onChange, onDeepChange } = options;
  const targets = new Map<string, Checked>();
  let kept: KeptHealth = {};

  const checkLoop = async (checked: Checked, signal: AbortSignal): Promise<void> => {
    const startedAt = clock.monotonic();
    let wasInitial = checked.record.condition === 'initial';
    // A known target waits for its turn, so that a new supervisor does not ask all at once.
    if (!wasInitial) await clock.sleep(partOf(checked.check.intervalMs), signal);
    while (!signal.aborted) {
      const askedAt = clock.monotonic();
      const result = await probe(checked.target, checked.check, signal);
      if (signal.aborted) return;
      apply(
        checked,
        withResult(checked.record, result, checked.check, nameOf(checked), clock.now()),
      );
      const isInitial = checked.record.condition === 'initial';
      const waitMs = isInitial
        ? initialIntervalMs(clock.monotonic() - startedAt, checked.check)
        : (wasInitial ? partOf : jittered)(checked.check.intervalMs);
      wasInitial = isInitial;
      await clock.sleep(Math.max(1, waitMs - (clock.monotonic() - askedAt)), signal);
    }
  };

  const apply = (checked: Checked, record: HealthRecord): void => {
    const changed = !sameShown(checked.record, record);
    checked.record = record;
    followDeep(checked);
    if (changed) onChange(entryOf(checked));
  };

  /** One that has not come up yet has nothing to say of what it depends on. */
  const followDeep = ({ target, check, record, loop, deep }: Checked): void => {
    if (loop !== null && record.admitted) deep.follow(target, check);
    else deep.stop();
  };

  const follow = (checked: Checked): void => {
    const wanted = checked.record.state !== 'draining';
    if (wanted !== (checked.loop !== null)) {
      checked.loop?.abort();
      checked.loop = wanted ? new AbortController() : null;
      if (checked.loop) void checkLoop(checked, checked.loop.signal);
    }
    followDeep(checked);
  };

  const leave = (checked: Checked): void => {
    checked.loop?.abort();
    checked.deep.stop();
  };

  const place = (pool: Pool, target: Target): HealthEntry | null => {
    const key = keyOf(pool.id, target.id);
    const known = targets.get(key);
    if (known && addressOf(known.target) === addressOf(target)) {
      const before = known.record;
      Object.assign(known, {
        target,
        check: pool.health,
        record: withState(before, target.state, key, clock.now()),
      });
      follow(known);
      return sameShown(before, known.record) ? null : entryOf(known);
    }
    if (known) leave(known);
    const past = kept[key];
    const record =
      past?.address === addressOf(target)
        ? withState(dated(past.record), target.state, key, clock.now())
        : register(target.state, clock.now());
    const deep = new DeepCheck({ clock, probe: deepProbe, onChange: onDeepChange });
    const checked: Checked = {
      pool: pool.id,
      target,
      check: pool.health,
      record,
      loop: null,
      deep,
    };
    targets.set(key, checked);
    follow(checked);
    return entryOf(checked);
  };

  return {
    restore(earlier) {
      kept = earlier;
    },
    update(snapshot) {
      const present = new Set<string>();
      const changed: HealthEntry[] = [];
      for (const pool of snapshot.pools) {
        for (const target of pool.targets) {
          present.add(keyOf(pool.id, target.id));
          const entry = place(pool, target);
          if (entry) changed.push(entry);
        }
      }
      for (const [key, checked] of targets) {
        if (present.has(key)) continue;
        leave(checked);
        targets.delete(key);
      }
      kept = {};
      return changed;
    },
    entries: () => [...targets.values()].map(entryOf),
    statuses: () => [...targets.values()].map(statusOf),
    kept: () =>
      Object.fromEntries(
        [...targets].map(([key, { target, record }]) => [
          key,
          { address: addressOf(target), record },
        ]),
      ),
    close() {
      for (const checked of targets.values()) leave(checked);
      targets.clear();
    },
  };
}

/** Keyed by pool and target, since ids (`fixed`) may repeat between pools. */
export const keyOf = (pool: string, target: string): string => `${pool} ${target}`;

function initialIntervalMs(elapsedMs: number, check: HealthCheck): number {
  if (elapsedMs < FAST_PERIOD_MS) return FAST_INTERVAL_MS;
  return elapsedMs < INITIAL_PERIOD_MS ? INITIAL_INTERVAL_MS : check.intervalMs;
}

function sameShown(a: HealthRecord, b: HealthRecord): boolean {
  const [x, y] = [describe(a), describe(b)];
  return (
    x.health === y.health &&
    x.reason === y.reason &&
    x.description === y.description &&
    a.admitted === b.admitted
  );
}

/** Until 0.1.0 nobody noted since when the checks had said the same. */
const dated = (
  record: Omit<HealthRecord, 'conditionSince'> & Partial<HealthRecord>,
): HealthRecord => ({
  ...record,
  conditionSince: record.conditionSince ?? record.since,
});

const nameOf = ({ pool, target }: Checked): string => keyOf(pool, target.id);

const addressOf = ({ host, port }: Target): string => `${host}:${port}`;

const entryOf = ({ pool, target, record }: Checked): HealthEntry => ({
  pool,
  target: target.id,
  health: record.health,
  admitted: record.admitted,
});

const statusOf = ({
  pool,
  target,
  record,
  deep,
}: Checked): ReturnType<Checks['statuses']>[number] => {
  const standby = standbyHealth(record);
  return {
    id: target.id,
    pool,
    ...describe(record),
    since: record.since,
    deep: deep.report,
    ...(deep.failingSince !== null && { deepFailingSince: deep.failingSince }),
    ...(standby && { standby }),
  };
};
