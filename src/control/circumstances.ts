import type { Machine } from '../kernel/machine.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import { type Pace, paceOf } from '../plan/pace.ts';
import type { Circumstances } from '../plan/suitability.ts';
import type { Store } from '../store/driver.ts';
import type { Slots } from './observe.ts';
import type { Records } from './records.ts';
import type { Traffic } from './traffic.ts';

/** What the machine and an environment are like just now, as far as it matters to a deployment. */

/** A rate over less than this says nothing about whether a share of traffic can be judged. */
const RATE_SETTLES_MS = 30_000;
/** Of so many deployments it is read how long instances take. */
const DEPLOYMENTS_READ = 5;

export interface CircumstanceParts {
  records: Records;
  store: Store;
  traffic: Traffic;
  slots: () => Promise<Slots>;
  /** Of the machine, or of the control group the daemon is in. */
  freeMemoryBytes: () => number | null;
  /** The same in all. */
  machine: () => Machine | null;
}

export async function circumstancesOf(
  key: EnvironmentKey,
  parts: CircumstanceParts,
): Promise<Circumstances> {
  const slots = await parts.slots();
  const sizes = parts.records
    .instances(key)
    .flatMap(({ id }) => slots.get(id)?.usage?.rssBytes ?? [])
    .filter((bytes) => bytes > 0);
  const traffic = parts.traffic.of(key);
  return {
    freeMemoryBytes: parts.freeMemoryBytes(),
    machine: parts.machine(),
    instanceBytes: sizes.length === 0 ? null : Math.max(...sizes),
    requestsPerSecond:
      traffic && traffic.windowMs >= RATE_SETTLES_MS ? traffic.requestsPerSecond : null,
    bootMs: observedPace(key, parts).bootMs,
  };
}

/** From the journal of the last deployments that came through. */
export function observedPace(
  key: EnvironmentKey,
  { records, store }: Pick<CircumstanceParts, 'records' | 'store'>,
): Pace {
  const entries = records
    .deployments(key, DEPLOYMENTS_READ)
    .filter(({ state }) => state === 'succeeded')
    .flatMap(({ number }) => store.steps(key, number));
  return paceOf(entries);
}
