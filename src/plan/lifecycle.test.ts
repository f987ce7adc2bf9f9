import { describe, expect, it } from 'vitest';
import {
  type ApplicationVersions,
  fatesOf,
  planRemovals,
  UNDEPLOYED_KEPT_MS,
} from './lifecycle.ts';

const DAY_MS = 86_400_000;
const NOW = 1_000 * DAY_MS;

/** Versions v1, v2 …, each deployed so many days ago. */
const application = (
  daysAgo: readonly number[],
  fields: Partial<ApplicationVersions> = {},
): ApplicationVersions => ({
  application: 'shop',
  policy: { keep: 2, maxAgeMs: null },
  versions: daysAgo.map((days, index) => ({
    label: `v${index + 1}`,
    digest: `d${index + 1}`,
    usedAt: NOW - days * DAY_MS,
  })),
  uses: [],
  ...fields,
});

const all = ({ versions }: ApplicationVersions) => new Set(versions.map(({ digest }) => digest));
const told = (given: ApplicationVersions, here = all(given)) =>
  [...fatesOf(given, here, NOW)].map(
    ([label, { state, reasons }]) => `${label} ${state}: ${reasons.join(', ')}`,
  );

const stored = (digests: Iterable<string>, storedAt = 0) =>
  [...digests].map((digest) => ({ digest, storedAt }));
const removed = (
  applications: readonly ApplicationVersions[],
  on = stored(new Set(applications.flatMap((each) => [...all(each)]))),
  recent = new Set<string>(),
) => planRemovals(applications, on, recent, NOW);

describe('the lifecycle of versions', () => {
  it('keeps the newest by when they were last deployed, not by when they were made', () => {
    expect(told(application([1, 30, 20, 10]))).toEqual([
      'v1 kept: one of the newest 2',
      'v2 due: not one of the newest 2',
      'v3 due: not one of the newest 2',
      'v4 kept: one of the newest 2',
    ]);
  });

  it('lets those go that are too old, however few there are', () => {
    const policy = { keep: 20, maxAgeMs: 15 * DAY_MS };
    expect(told(application([20, 15, 1], { policy }))).toEqual([
      'v1 due: last deployed more than 15 days ago',
      'v2 kept: one of the newest 20',
      'v3 kept: one of the newest 20',
    ]);
  });

  it('keeps what an environment needs, whatever its age, and says all who do', () => {
    const uses = [
      { digest: 'd1', reason: 'production runs it' },
      { digest: 'd1', reason: 'staging runs it' },
      { digest: 'd1', reason: 'production runs it' },
    ];
    const policy = { keep: 1, maxAgeMs: DAY_MS };
    expect(told(application([90, 3, 2], { uses, policy }))).toEqual([
      'v1 kept: production runs it, staging runs it',
      'v2 due: not the newest, last deployed more than 1 day ago',
      'v3 due: last deployed more than 1 day ago',
    ]);
  });

  it('does not count what is gone', () => {
    expect(told(application([3, 2, 1]), new Set(['d1', 'd2']))).toEqual([
      'v1 kept: one of the newest 2',
      'v2 kept: one of the newest 2',
      'v3 gone: ',
    ]);
  });
});

describe('removals', () => {
  it('name the versions and the reason, and end when there is nothing to remove', () => {
    const given = application([4, 3, 2, 1]);
    const first = removed([given]);
    expect(first).toEqual([
      {
        digest: 'd1',
        versions: [{ application: 'shop', label: 'v1' }],
        reason: 'not one of the newest 2',
      },
      {
        digest: 'd2',
        versions: [{ application: 'shop', label: 'v2' }],
        reason: 'not one of the newest 2',
      },
    ]);
    expect(removed([given], stored(['d3', 'd4']))).toEqual([]);
  });

  it('leave a bundle that another application keeps', () => {
    const blog = { ...application([9]), application: 'blog' };
    const digests = (of: readonly ApplicationVersions[]) => removed(of).map(({ digest }) => digest);
    expect(digests([application([4, 3, 2, 1])])).toContain('d1');
    expect(digests([application([4, 3, 2, 1]), blog])).not.toContain('d1');
    expect(digests([blog, application([4, 3, 2, 1])])).not.toContain('d1');
  });

  it('leave what was asked for a moment ago', () => {
    const given = application([4, 3, 2, 1]);
    expect(
      removed([given], stored(all(given)), new Set(['d1'])).map((each) => each.digest),
    ).toEqual(['d2']);
  });

  it('take what was sent and never deployed, after an hour, unless somebody waits with it', () => {
    const sent = (agoMs: number) => stored(['new'], NOW - agoMs);
    const waiting = application([], {
      uses: [{ digest: 'new', reason: 'production waits with it' }],
    });
    expect(removed([], sent(UNDEPLOYED_KEPT_MS - 1))).toEqual([]);
    expect(removed([waiting], sent(UNDEPLOYED_KEPT_MS))).toEqual([]);
    expect(removed([], sent(UNDEPLOYED_KEPT_MS))).toEqual([
      { digest: 'new', versions: [], reason: 'sent and never deployed' },
    ]);
  });

  it('never take what is in use, and are done at once', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const next = numbers(seed);
      const applications = ['a', 'b', 'c'].map((name): ApplicationVersions => {
        const versions = Array.from({ length: next(12) }, (_, index) => ({
          label: `v${index + 1}`,
          digest: `d${next(20)}`,
          usedAt: NOW - next(100) * DAY_MS,
        }));
        const uses = versions
          .filter(() => next(4) === 0)
          .map(({ digest }) => ({ digest, reason: 'production runs it' }));
        const maxAgeMs = next(2) === 0 ? null : (1 + next(50)) * DAY_MS;
        return { application: name, policy: { keep: 1 + next(5), maxAgeMs }, versions, uses };
      });
      const on = stored(Array.from({ length: 20 }, (_, index) => `d${index}`));
      const gone = new Set(removed(applications, on).map(({ digest }) => digest));
      const used = applications.flatMap(({ uses }) => uses.map(({ digest }) => digest));
      expect(
        used.filter((digest) => gone.has(digest)),
        `seed ${seed}`,
      ).toEqual([]);
      const left = on.filter(({ digest }) => !gone.has(digest));
      expect(removed(applications, left), `seed ${seed}`).toEqual([]);
    }
  });
});

/** Whole numbers below a limit, the same for the same seed. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
}
