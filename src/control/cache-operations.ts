import { noCacheCounts } from '../model/cache.ts';
import type { CachesView, PurgeRequest, PurgeView } from '../model/cache-view.ts';
import { cachePolicy, type PurgeParts, purgeCache } from './cache-purging.ts';

/** What people ask of caches, and want to know of them. */
export class CacheOperations {
  readonly #parts: PurgeParts;

  constructor(parts: PurgeParts) {
    this.#parts = parts;
  }

  /** @throws `bad-purge`, `unknown-environment`, `environment-terminating`, `no-cache` */
  purge(
    application: string,
    name: string,
    asked: readonly PurgeRequest[],
    by: string | null,
  ): Promise<PurgeView> {
    return purgeCache(application, name, asked, by, this.#parts);
  }

  /**
   * What caches have done until now, and what they keep.
   *
   * @throws `edge-unreachable`
   */
  async view(): Promise<CachesView> {
    const { edge, records } = this.#parts;
    // The workers report for the ledger, so that the status is of the same moment.
    const { at, cache = {} } = await edge.ledger();
    const workers = (await edge.status()).workers.filter(({ accepting }) => accepting);
    const { cacheMemoryBytes, cacheDiskBytes } = records.edgeSettings;
    return {
      at,
      environments: records
        .environments()
        .filter(({ status }) => status !== 'terminated')
        .map((environment) => ({
          application: environment.application,
          environment: environment.name,
          policy: cachePolicy(environment, records),
          counts: cache[environment.key] ?? noCacheCounts(),
          purges: environment.cachePurges.last,
        })),
      workers: workers.map(({ pid, cacheMemory = null }) => ({ pid, memory: cacheMemory })),
      memoryBoundBytes: cacheMemoryBytes,
      disk: workers.find(({ cacheDisk }) => cacheDisk !== undefined)?.cacheDisk ?? null,
      diskBoundBytes: cacheDiskBytes,
    };
  }
}
