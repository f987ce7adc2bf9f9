import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { CachePolicy } from '../model/cache.ts';
import { keyedTarget, pathOf, ruleFor } from '../model/cache-key.ts';
import { withPurge } from '../model/cache-purges.ts';
import type { PurgeRequest, PurgeView } from '../model/cache-view.ts';
import { type Environment, environmentKey } from '../model/environment.ts';
import { readPurges } from './cache-purge-request.ts';
import type { EdgeView } from './edge-view.ts';
import type { EventFeed } from './event-feed.ts';
import { goalNumber } from './observe.ts';
import type { Boundary } from './performer.ts';
import type { Records } from './records.ts';
import { command, terminating } from './refusals.ts';

/**
 * What the edge keeps of an environment's answers is not to be used any more. It is written down
 * first and travels with the routing, so that a worker that starts later knows it too, and no crash
 * takes it back.
 */

export interface PurgeParts {
  records: Records;
  edge: EdgeDriver;
  view: EdgeView;
  feed: EventFeed;
  clock: Clock;
  boundary: Boundary;
  /** Brings the edge in line with the records; throws while it cannot be reached. */
  publish: () => Promise<unknown>;
}

/**
 * Resolves when no worker answers from what was purged. An edge that cannot be reached follows when
 * it is back: the snapshot of the answer is null then.
 *
 * @throws `bad-purge`, `unknown-environment`, `environment-terminating`, `no-cache`
 */
export async function purgeCache(
  application: string,
  name: string,
  asked: readonly PurgeRequest[],
  by: string | null,
  parts: PurgeParts,
): Promise<PurgeView> {
  const { records, clock, boundary } = parts;
  const purged = readPurges(asked);
  const key = environmentKey(application, name);
  const environment = records.environment(key);
  if (environment.status === 'terminating') throw terminating(environment);
  const policy = cachePolicy(environment, records);
  if (policy === null) throw noCache(environment);
  const startedMs = clock.monotonic();
  const number = records.transaction(() => writeDown(key, purged, policy, by, parts));
  boundary('cache-purged');
  const inForce = await putInForce(parts);
  const tookMs = Math.round((clock.monotonic() - startedMs) * 10) / 10;
  return { application, environment: name, purged, number, ...inForce, tookMs };
}

/** @returns the number of the newest */
function writeDown(
  key: string,
  purged: readonly PurgeRequest[],
  policy: CachePolicy,
  by: string | null,
  { records, feed }: PurgeParts,
): number {
  const environment = records.environment(key);
  const all = purged.flatMap((each) => [each, ...alsoKeptUnder(each, policy)]);
  const cachePurges = all.reduce(withPurge, environment.cachePurges);
  records.saveEnvironment({ ...environment, cachePurges });
  feed.publish({
    environment: key,
    severity: 'info',
    type: 'cache-purged',
    message: `purged ${listText(purged)} from the cache${by === null ? '' : `, says ${by}`}`,
  });
  return cachePurges.last;
}

/** Parameters that do not count are in no key: a path with them is kept without. */
function alsoKeptUnder({ kind, value }: PurgeRequest, { rules }: CachePolicy): PurgeRequest[] {
  if (kind !== 'path' || !value.includes('?')) return [];
  const kept = keyedTarget(ruleFor(rules, pathOf(value)), value);
  return kept === value ? [] : [{ kind, value: kept }];
}

async function putInForce({
  publish,
  view,
  edge,
}: PurgeParts): Promise<Pick<PurgeView, 'snapshot' | 'workers'>> {
  try {
    await publish();
    const { workers } = await edge.status();
    return {
      snapshot: view.acknowledged,
      workers: workers.filter(({ accepting }) => accepting).length,
    };
  } catch {
    // It is on record; the loop goes on trying.
    return { snapshot: null, workers: 0 };
  }
}

/** Of the release whose names count now. */
export function cachePolicy(environment: Environment, records: Records): CachePolicy | null {
  const goal = goalNumber(environment, records);
  const release = goal === null ? undefined : records.release(environment.key, goal);
  return release?.configuration.traffic.cache ?? null;
}

const NAMED = 5;

/** `everything`, `/a, /assets/* and the tag catalog`; of many the first. */
function listText(purged: readonly PurgeRequest[]): string {
  const named = purged.slice(0, NAMED).map(({ kind, value }) => {
    if (kind === 'everything') return kind;
    if (kind === 'tag') return `the tag ${value}`;
    return kind === 'prefix' ? `${value}*` : value;
  });
  const rest = purged.length - named.length;
  if (rest > 0) named.push(`${rest} more`);
  const last = named.pop() ?? '';
  return named.length === 0 ? last : `${named.join(', ')} and ${last}`;
}

const noCache = (environment: Environment): Fault =>
  new Fault({
    code: 'no-cache',
    message: `nothing was purged: the edge keeps no answers of ${environment.key}`,
    subject: environment.key,
    hint: `turn its cache on by edge.cache in belay.config.ts, then: ${command('belay deploy', environment)}`,
  });
