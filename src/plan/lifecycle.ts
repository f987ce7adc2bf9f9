import type { Lifecycle, VersionFate } from '../model/lifecycle.ts';

/**
 * Which versions stay on the disk. What an environment runs, is moving to or would go back to stays
 * whatever the policy says; of the rest, what the policy has.
 */

/** What was sent, or named, so recently may be about to be deployed. */
export const UNDEPLOYED_KEPT_MS = 3_600_000;

const DAY_MS = 86_400_000;

export interface DeployedVersion {
  label: string;
  digest: string;
  /** When it was last deployed; when it was made, if it never was. */
  usedAt: number;
}

/** Why an environment needs a version: `production runs it`. */
export interface VersionUse {
  digest: string;
  reason: string;
}

export interface ApplicationVersions {
  application: string;
  policy: Lifecycle;
  versions: readonly DeployedVersion[];
  uses: readonly VersionUse[];
}

/** What of a bundle is on the disk. */
interface Stored {
  digest: string;
  storedAt: number;
}

/** A bundle that nobody needs any more. */
export interface Removal {
  digest: string;
  /** The versions it is; none when it was sent and never deployed. */
  versions: { application: string; label: string }[];
  reason: string;
}

/** What becomes of each version's files, by label. */
export function fatesOf(
  { policy, versions, uses }: ApplicationVersions,
  stored: ReadonlySet<string>,
  now: number,
): Map<string, VersionFate> {
  const here = versions.filter(({ digest }) => stored.has(digest));
  const newest = new Set(
    [...here]
      .sort((a, b) => b.usedAt - a.usedAt)
      .slice(0, policy.keep)
      .map(({ label }) => label),
  );
  return new Map(
    versions.map((version): [string, VersionFate] => {
      if (!stored.has(version.digest)) return [version.label, { state: 'gone', reasons: [] }];
      const needed = uses.filter(({ digest }) => digest === version.digest);
      const against = objections(version, policy, newest.has(version.label), now);
      if (needed.length > 0) return [version.label, { state: 'kept', reasons: reasonsOf(needed) }];
      if (against.length > 0) return [version.label, { state: 'due', reasons: against }];
      const reason = policy.keep === 1 ? 'the newest' : `one of the newest ${policy.keep}`;
      return [version.label, { state: 'kept', reasons: [reason] }];
    }),
  );
}

/**
 * Bundles to remove. Applications may share one, and it stays as long as one of them keeps it.
 *
 * @param recent digests that somebody sent or asked for a moment ago
 */
export function planRemovals(
  applications: readonly ApplicationVersions[],
  stored: readonly Stored[],
  recent: ReadonlySet<string>,
  now: number,
): Removal[] {
  const here = new Set(stored.map(({ digest }) => digest));
  const named = new Map<string, Removal & { kept: boolean }>();
  for (const each of applications) {
    const fates = fatesOf(each, here, now);
    for (const { label, digest } of each.versions) {
      const { state, reasons } = fates.get(label) ?? { state: 'gone', reasons: [] };
      if (state === 'gone') continue;
      const known = named.get(digest) ?? { digest, versions: [], reason: '', kept: false };
      known.versions.push({ application: each.application, label });
      known.kept ||= state === 'kept';
      known.reason ||= reasons.join(', ');
      named.set(digest, known);
    }
  }
  return stored.flatMap(({ digest, storedAt }): Removal[] => {
    if (recent.has(digest)) return [];
    const known = named.get(digest);
    if (known)
      return known.kept ? [] : [{ digest, versions: known.versions, reason: known.reason }];
    // A ticket that waits names a bundle that is no version yet.
    const wanted = applications.some(({ uses }) => uses.some((use) => use.digest === digest));
    if (wanted || now - storedAt < UNDEPLOYED_KEPT_MS) return [];
    return [{ digest, versions: [], reason: 'sent and never deployed' }];
  });
}

/** Why the policy does not keep it. */
function objections(
  { usedAt }: DeployedVersion,
  { keep, maxAgeMs }: Lifecycle,
  isNewest: boolean,
  now: number,
): string[] {
  const found: string[] = [];
  if (!isNewest) found.push(keep === 1 ? 'not the newest' : `not one of the newest ${keep}`);
  if (maxAgeMs !== null && now - usedAt > maxAgeMs) {
    const days = Math.floor(maxAgeMs / DAY_MS);
    found.push(`last deployed more than ${days} day${days === 1 ? '' : 's'} ago`);
  }
  return found;
}

const reasonsOf = (uses: readonly VersionUse[]): string[] => [
  ...new Set(uses.map(({ reason }) => reason)),
];
