import { isDeepStrictEqual } from 'node:util';
import type { BundleStore, StoredBundle } from '../bundle/driver.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import { sizeText } from '../kernel/size-text.ts';
import type { Lifecycle, Pruning, VersionView } from '../model/lifecycle.ts';
import type { Version } from '../model/version.ts';
import {
  type ApplicationVersions,
  fatesOf,
  planRemovals,
  type Removal,
  UNDEPLOYED_KEPT_MS,
} from '../plan/lifecycle.ts';
import type { EventFeed } from './event-feed.ts';
import type { Records } from './records.ts';
import { applicationVersions } from './version-use.ts';

/** What a deployment has kept running until now goes within this time. */
const PERIOD_MS = 3_600_000;
/** After these an environment needs other versions than before. */
const OCCASIONS =
  /^(?:deployment-(?:succeeded|rolled-back|aborted|failed)|environment-terminated)$/;

export interface HousekeepingParts {
  records: Records;
  bundles: BundleStore;
  feed: EventFeed;
  clock: Clock;
  log: Log;
}

/** Removes the files of versions that nobody needs any more: after deployments, and now and then. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  /** Digests that were sent or asked for, and when: they may be about to be deployed. */
  readonly #recent = new Map<string, number>();
  #chore: Timer | null = null;
  #unsubscribe: (() => void) | null = null;
  /** One pruning at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, feed } = this.#parts;
    this.#chore = clock.every(PERIOD_MS, () => this.#pruneQuietly());
    this.#unsubscribe = feed.subscribe(({ type }) => {
      if (OCCASIONS.test(type)) this.#pruneQuietly();
    });
    this.#pruneQuietly();
  }

  /** Resolves when what is being removed is gone. */
  async close(): Promise<void> {
    this.#chore?.cancel();
    this.#unsubscribe?.();
    await this.#last.catch(() => undefined);
  }

  /** Whoever deals with a bundle says so first: for a while it is not removed. */
  noteUse(digest: string): void {
    const now = this.#parts.clock.now();
    for (const [known, at] of this.#recent) {
      if (now - at >= UNDEPLOYED_KEPT_MS) this.#recent.delete(known);
    }
    this.#recent.set(digest, now);
  }

  /** What is on record says from now on whether it is needed. */
  endUse(digest: string): void {
    this.#recent.delete(digest);
  }

  /** What the configuration that was deployed last says holds for the application. */
  follow(application: string, lifecycle: Lifecycle): void {
    const { records } = this.#parts;
    if (isDeepStrictEqual(records.lifecycle(application), lifecycle)) return;
    records.saveLifecycle(application, lifecycle);
    this.#pruneQuietly();
  }

  /** Versions with what becomes of their files, newest first. */
  async versions(
    application: string,
    versions: readonly (Version & { runningIn: string[] })[],
  ): Promise<VersionView[]> {
    const { records, bundles, clock } = this.#parts;
    const stored = new Map((await bundles.list()).map((each) => [each.digest, each]));
    const here = new Set(stored.keys());
    const fates = fatesOf(
      applicationVersions(application, records, clock.now()),
      here,
      clock.now(),
    );
    return versions.map((version) => ({
      ...version,
      fate: fates.get(version.label) ?? { state: 'gone', reasons: [] },
      imageBytes: stored.get(version.digest)?.imageBytes ?? null,
    }));
  }

  /**
   * Removes what is not needed, or tells what that would be.
   *
   * @param application only of this one; null: of all, and what was never deployed
   * @param keep so many of each application's versions, instead of what its configuration says
   */
  async prune(
    application: string | null,
    { dryRun, keep }: { dryRun: boolean; keep: number | null },
  ): Promise<Pruning> {
    const pruning = this.#last
      .catch(() => undefined)
      .then(() => this.#prune(application, dryRun, keep));
    this.#last = pruning;
    return await pruning;
  }

  async #prune(application: string | null, dryRun: boolean, keep: number | null): Promise<Pruning> {
    const { records, bundles, clock } = this.#parts;
    await bundles.measureImages();
    const stored = await bundles.list();
    const all = records.applications().map((name): ApplicationVersions => {
      const versions = applicationVersions(name, records, clock.now());
      const chosen = keep !== null && (application === null || name === application);
      return chosen ? { ...versions, policy: { ...versions.policy, keep } } : versions;
    });
    const removals = planRemovals(all, stored, this.#inHand(), clock.now()).filter(
      ({ versions }) =>
        application === null || versions.some((version) => version.application === application),
    );
    const done: Removal[] = [];
    for (const removal of removals) {
      // Somebody may have asked for it while another was removed.
      if (this.#inHand().has(removal.digest)) continue;
      if (!dryRun) await bundles.remove(removal.digest);
      done.push(removal);
    }
    const pruning = this.#account(done, stored, dryRun);
    if (!dryRun) this.#tell(pruning);
    return pruning;
  }

  #pruneQuietly(): void {
    this.prune(null, { dryRun: false, keep: null }).catch((fault: unknown) => {
      this.#parts.log.warn({ fault: messageOf(fault) }, 'versions could not be pruned');
    });
  }

  #inHand(): Set<string> {
    const since = this.#parts.clock.now() - UNDEPLOYED_KEPT_MS;
    return new Set([...this.#recent].flatMap(([digest, at]) => (at > since ? [digest] : [])));
  }

  #account(
    removals: readonly Removal[],
    stored: readonly StoredBundle[],
    dryRun: boolean,
  ): Pruning {
    const { records } = this.#parts;
    const removed = removals.flatMap(({ digest, versions, reason }) => {
      const imageBytes = stored.find((each) => each.digest === digest)?.imageBytes ?? 0;
      return versions.map(({ application, label }) => {
        const { sizeBytes = 0, createdAt = 0 } = records.version(application, label) ?? {};
        return { application, label, digest, createdAt, sizeBytes: sizeBytes + imageBytes, reason };
      });
    });
    removed.sort((a, b) => a.createdAt - b.createdAt);
    // A bundle that is several versions frees its room once.
    const rooms = new Map(removed.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
    const freedBytes = [...rooms.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0);
    return {
      dryRun,
      removed: removed.map(({ digest, createdAt, ...shown }) => shown),
      freedBytes,
    };
  }

  #tell({ removed }: Pruning): void {
    for (const application of new Set(removed.map((each) => each.application))) {
      const own = removed.filter((each) => each.application === application);
      const freedBytes = own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const labels = own.map(({ label, reason }) => `${label} (${reason})`).join(', ');
      this.#parts.feed.publish({
        severity: 'info',
        type: 'versions-removed',
        message: `${sizeText(freedBytes)} of ${application}’s versions were removed from the disk: ${labels}`,
      });
    }
  }
}
