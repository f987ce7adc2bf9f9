import type { Deployment } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import { type Release, sameContent } from '../model/release.ts';
import type { DeploymentRequest } from '../model/ticket.ts';
import type { ApplicationVersions, VersionUse } from '../plan/lifecycle.ts';
import type { Records } from './records.ts';
import { lastRelease } from './terminated.ts';

/** What versions are needed for: read from the records, decided elsewhere. */

/** As many deployments of an environment say what ran there with success. */
const DEPLOYMENTS_READ = 200;
/** So many versions that ran there stay for `belay rollback`, beside the one that runs. */
const KEPT_TO_GO_BACK = 3;
/** A terminated environment can be rebuilt for so long: Beanstalk's six weeks. */
const REBUILT_FROM_MS = 42 * 86_400_000;

export function applicationVersions(
  application: string,
  records: Records,
  now: number,
): ApplicationVersions {
  const all = records.environments().filter((each) => each.application === application);
  const environments = all.filter(({ status }) => status !== 'terminated');
  const deployedAt = new Map<string, number>();
  const note = (label: string | null, at: number) => {
    if (label !== null) deployedAt.set(label, Math.max(at, deployedAt.get(label) ?? 0));
  };
  const uses: VersionUse[] = all.flatMap((each) => usesOfTerminated(each, records, now));
  for (const environment of environments) {
    const deployments = records.deployments(environment.key, DEPLOYMENTS_READ);
    const labelOf = (release: number) => records.release(environment.key, release)?.version ?? null;
    for (const { to, startedAt } of deployments) note(labelOf(to), startedAt);
    uses.push(...usesOf(environment, deployments, records));
  }
  const versions = records.versions(application).map(({ label, digest, createdAt }) => ({
    label,
    digest,
    usedAt: Math.max(createdAt, deployedAt.get(label) ?? 0),
  }));
  return { application, policy: records.lifecycle(application), versions, uses };
}

function usesOfTerminated(environment: Environment, records: Records, now: number): VersionUse[] {
  const { application, name, status, terminatedAt } = environment;
  const isRecent = terminatedAt !== null && now - terminatedAt < REBUILT_FROM_MS;
  if (status !== 'terminated' || !isRecent) return [];
  const label = lastRelease(environment, records)?.version;
  const version = label ? records.version(application, label) : undefined;
  return version ? [{ digest: version.digest, reason: `${name} can be rebuilt from it` }] : [];
}

function usesOf(
  environment: Environment,
  deployments: readonly Deployment[],
  records: Records,
): VersionUse[] {
  const { key, application, name } = environment;
  const ofVersion = (label: string | null, reason: string): VersionUse[] => {
    const version = label === null ? undefined : records.version(application, label);
    return version ? [{ digest: version.digest, reason }] : [];
  };
  const ofRelease = (number: number | null, reason: string): VersionUse[] =>
    number === null ? [] : ofVersion(records.release(key, number)?.version ?? null, reason);
  const running = records.runningDeployment(key);
  const live = new Set(records.instances(key).map(({ release }) => release));
  return [
    ...ofRelease(environment.release, `${name} runs it`),
    ...[...live].flatMap((number) => ofRelease(number, `${name} runs it`)),
    ...ofRelease(running?.to ?? null, `${name} is moving to it`),
    ...ofRelease(running?.from ?? null, `${name} is moving from it`),
    ...records
      .waiting(key)
      .flatMap(({ request }) => usesOfWaiting(request, name, ofVersion, ofRelease)),
    ...wayBack(environment, deployments, records).flatMap(({ version }) =>
      ofVersion(version, `${name} can go back to it`),
    ),
  ];
}

/** What waits names a bundle that may be no version yet. */
function usesOfWaiting(
  request: DeploymentRequest,
  name: string,
  ofVersion: (label: string, reason: string) => VersionUse[],
  ofRelease: (number: number, reason: string) => VersionUse[],
): VersionUse[] {
  const reason = `${name} waits to deploy it`;
  if (request.kind === 'deploy' && request.version) {
    return [{ digest: request.version.digest, reason }];
  }
  if (request.kind !== 'rollback' || request.to === null) return [];
  const number = Number(request.to);
  return Number.isInteger(number) ? ofRelease(number, reason) : ofVersion(`${request.to}`, reason);
}

/**
 * The releases an environment would go back to, that of `belay rollback` first: of the versions that
 * ran there with success the newest, each once.
 */
function wayBack(
  environment: Environment,
  deployments: readonly Deployment[],
  records: Records,
): Release[] {
  const current = records.release(environment.key, environment.release ?? 0);
  const others = provenReleases(environment, deployments, records);
  const next = nextBack(current, others);
  const versions = new Set([current?.version ?? null]);
  const back: Release[] = [];
  for (const release of next ? [next, ...others] : others) {
    if (versions.has(release.version) || back.length === KEPT_TO_GO_BACK) continue;
    versions.add(release.version);
    back.push(release);
  }
  return back;
}

/** Releases that were deployed with success, newest first. */
function provenReleases(
  { key }: Environment,
  deployments: readonly Deployment[],
  records: Records,
): Release[] {
  const succeeded = deployments.filter(({ state }) => state === 'succeeded');
  const proven = new Set(succeeded.map(({ to }) => to));
  return records.releases(key).filter(({ number }) => proven.has(number));
}

const nextBack = (current: Release | undefined, proven: readonly Release[]): Release | undefined =>
  current && proven.find((each) => each.number < current.number && !sameContent(each, current));

/** The digest that a deployment would use; null where there is none, or the request is refused anyway. */
export function wantedDigest(
  environment: Environment,
  request: DeploymentRequest,
  records: Records,
): string | null {
  const { key, application } = environment;
  const ofVersion = (label: string | null | undefined): string | null =>
    (label && records.version(application, label)?.digest) || null;
  const current = records.release(key, environment.release ?? 0);
  if (request.kind === 'deploy') return request.version?.digest ?? null;
  if (request.kind !== 'rollback') return ofVersion(current?.version);
  const { to } = request;
  if (typeof to === 'string' && !/^\d+$/.test(to)) return ofVersion(to);
  if (to !== null) return ofVersion(records.release(key, Number(to))?.version);
  const deployments = records.deployments(key, DEPLOYMENTS_READ);
  return ofVersion(nextBack(current, provenReleases(environment, deployments, records))?.version);
}
