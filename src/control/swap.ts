import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { type Environment, environmentKey } from '../model/environment.ts';
import type { LedgerReading } from '../model/ledger.ts';
import { receiptBetween } from '../model/receipt.ts';
import { poolId } from '../model/snapshot.ts';
import type { SwapView } from '../model/view.ts';
import { planSwap, type SwapSide, swapProblem } from '../plan/swap.ts';
import { gateFor } from './deployment-gate.ts';
import type { EdgeView } from './edge-view.ts';
import type { EventFeed } from './event-feed.ts';
import { domainsOf } from './names.ts';
import { observeFixed } from './observe-fixed.ts';
import type { Boundary } from './performer.ts';
import type { Records } from './records.ts';
import { refuseIfBusy } from './refusals.ts';

/**
 * Two environments of an application exchange the host names they answer to: written down in one
 * transaction, in force with one snapshot. Instances stay where they are, and what is open through
 * them goes on there.
 */

export interface SwapParts {
  records: Records;
  edge: EdgeDriver;
  view: EdgeView;
  feed: EventFeed;
  clock: Clock;
  boundary: Boundary;
  /** Brings the edge in line with the records; throws while it cannot be reached. */
  publish: () => Promise<unknown>;
}

type Pair<T> = readonly [T, T];

/**
 * Resolves when every edge worker routes by it. An edge that cannot be reached follows when it is
 * back: the snapshot of the answer is null then.
 *
 * @param force although one of them is frozen, or out of its window
 * @throws `swap-with-itself`, `unknown-environment`, `operation-in-progress`, `not-ready`
 */
export async function swapNames(
  application: string,
  names: Pair<string>,
  force: boolean,
  parts: SwapParts,
): Promise<SwapView> {
  const { records, boundary } = parts;
  const keys = names.map((name) => environmentKey(application, name)) as unknown as Pair<string>;
  if (keys[0] === keys[1]) throw withItself(keys[0]);
  const before = await readLedger(parts.edge);
  const domains = records.transaction(() => exchange(keys, force, parts));
  boundary('swapped');
  const snapshot = await putInForce(parts);
  const after = snapshot === null ? null : await readLedger(parts.edge);
  return {
    application,
    snapshot,
    environments: keys.map((key, index) => ({
      environment: names[index] ?? '',
      domains: [...(domains[index] ?? [])],
      namesOf: records.environment(key).names?.of ?? null,
      receipt: before && after && receiptBetween(before, after, key),
    })),
  };
}

/** @returns what each answers to now */
function exchange(keys: Pair<string>, force: boolean, parts: SwapParts): Pair<readonly string[]> {
  const { records, feed } = parts;
  const a = sideOf(records.environment(keys[0]), parts);
  const b = sideOf(records.environment(keys[1]), parts);
  for (const side of [a, b]) {
    refuseUnready(side, records);
    if (!force) refuseClosed(side.environment, parts);
  }
  const [toA, toB] = planSwap(a, b);
  records.saveEnvironment({ ...a.environment, names: toA });
  records.saveEnvironment({ ...b.environment, names: toB });
  for (const [side, other] of [
    [a, b],
    [b, a],
  ] as const) {
    feed.publish({
      environment: side.environment.key,
      severity: 'info',
      type: 'names-swapped',
      message: `answers to ${other.domains.join(', ')} now, and ${other.environment.key} to ${side.domains.join(', ')}`,
    });
  }
  return [b.domains, a.domains];
}

function sideOf(environment: Environment, { records, view }: SwapParts): SwapSide {
  const { key, release } = environment;
  const healthy = (pool: string, id: string) => view.target(pool, id)?.health === 'healthy';
  const instances = records
    .instances(key)
    .filter(({ id, state, release: of }) => state === 'in-service' && healthy(poolId(key, of), id));
  const { fixed } = observeFixed(key, release, records, view);
  return {
    environment,
    domains: domainsOf(environment, records),
    serving: instances.length + (fixed?.health === 'healthy' ? 1 : 0),
  };
}

function refuseUnready(side: SwapSide, records: Records): void {
  refuseIfBusy(side.environment, records);
  const problem = swapProblem(side);
  if (problem === null) return;
  throw new Fault({
    code: 'not-ready',
    message: `nothing was swapped: ${problem}`,
    subject: side.environment.key,
    hint: `see why with: belay status -a ${side.environment.application}`,
    retryable: true,
  });
}

/** Whoever froze an environment, or gave it windows, meant its users, and these would be others. */
function refuseClosed(environment: Environment, { records, clock }: SwapParts): void {
  const gate = gateFor(environment, 'deploy', records, clock.now());
  if (gate.open) return;
  throw new Fault({
    code: gate.code,
    message: `${environment.key} may not be changed now: ${gate.why}`,
    subject: environment.key,
    hint: 'to swap all the same, add --force',
    retryable: true,
  });
}

async function putInForce({ publish, view }: SwapParts): Promise<number | null> {
  try {
    await publish();
    return view.acknowledged;
  } catch {
    // It is on record; the loop goes on trying.
    return null;
  }
}

/** Without a reading there is no receipt; that must not stop a swap. */
async function readLedger(edge: EdgeDriver): Promise<LedgerReading | null> {
  try {
    return await edge.ledger();
  } catch {
    return null;
  }
}

const withItself = (key: string): Fault =>
  new Fault({
    code: 'swap-with-itself',
    message: `${key} cannot swap names with itself`,
    subject: key,
    hint: 'name two environments: belay envs swap production staging',
  });
