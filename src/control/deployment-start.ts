import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { randomHex } from '../kernel/random.ts';
import { EVERYTHING, NO_CACHE_PURGES, withPurge } from '../model/cache-purges.ts';
import type { Capacity, Configuration, Variables } from '../model/configuration.ts';
import {
  ASKED_BY_NOBODY,
  type Asked,
  type Deployment,
  type DeploymentKind,
} from '../model/deployment.ts';
import { type Environment, environmentKey, environmentMachine } from '../model/environment.ts';
import { hooksDue } from '../model/hook.ts';
import type { LedgerReading } from '../model/ledger.ts';
import type { Release, ReleaseReason } from '../model/release.ts';
import type { VersionSource } from '../model/ticket.ts';
import { type Version, versionLabel } from '../model/version.ts';
import type { DeploymentView } from '../model/view.ts';
import { boundsInForce, followsLoad, within } from './capacity.ts';
import type { EventFeed } from './event-feed.ts';
import { refuseNewNames, refuseTakenDomains } from './names.ts';
import type { Records } from './records.ts';
import { command } from './refusals.ts';
import { deploymentView } from './views.ts';
import { idleMsOf } from './waking.ts';

/**
 * How a deployment comes to be, whoever asks for it: the environment it is of, the version and the
 * release it leads to, and its own record. All but the ledger is read and written at once, so that
 * an operation can do it in one transaction.
 */

export interface DeploymentStartParts {
  records: Records;
  edge: EdgeDriver;
  feed: EventFeed;
  clock: Clock;
}

/** Where a release goes. */
export interface Destination {
  application: string;
  environment: string;
  configuration: Configuration;
}

export class DeploymentStart {
  readonly #parts: DeploymentStartParts;

  constructor(parts: DeploymentStartParts) {
    this.#parts = parts;
  }

  /** Taken before the transaction: the receipt counts from here. */
  async readLedger(): Promise<LedgerReading | null> {
    try {
      return await this.#parts.edge.ledger();
    } catch {
      // Without a reading there is no receipt; that must not stop anybody from deploying a cure.
      return null;
    }
  }

  /** The environment as it is on record, or a new one that is still to be written down. */
  environmentFor({ application, environment, configuration }: Destination): Environment {
    const key = environmentKey(application, environment);
    const known = this.#parts.records.find(key);
    const { capacity } = configuration.web;
    if (!known) {
      const createdAt = this.#parts.clock.now();
      const status = 'launching';
      const cachePurges = NO_CACHE_PURGES;
      const fresh = { release: null, names: null, terminatedAt: null, cachePurges };
      return { key, application, name: environment, status, capacity, createdAt, ...fresh };
    }
    if (known.status !== 'terminated') return known;
    const status = environmentMachine.move(key, known.status, 'launching');
    const createdAt = this.#parts.clock.now();
    // A freeze and a sleep were of what there was before.
    const { freeze, asleep, ...again } = known;
    // So is what was kept of its answers.
    const cachePurges = withPurge(known.cachePurges, EVERYTHING);
    return { ...again, status, capacity, createdAt, terminatedAt: null, cachePurges };
  }

  /** The version that has this content already, or a new one, written down. */
  versionFor(application: string, source: VersionSource, message: string | null): Version {
    const { records, clock } = this.#parts;
    const versions = records.versions(application);
    const known = versions.find(({ digest }) => digest === source.digest);
    if (known) return known;
    const highest = Math.max(0, ...versions.map(({ label }) => Number(label.slice(1))));
    const version: Version = {
      application,
      label: versionLabel(highest + 1),
      createdAt: clock.now(),
      message,
      ...source,
    };
    records.saveVersion(version);
    return version;
  }

  currentRelease({ key, release }: Environment): Release | null {
    return release === null ? null : (this.#parts.records.release(key, release) ?? null);
  }

  /** @throws `no-release` */
  runningRelease(environment: Environment): Release {
    const current = this.currentRelease(environment);
    if (current) return current;
    throw new Fault({
      code: 'no-release',
      message: `${environment.key} has no release that ever was healthy`,
      subject: environment.key,
      hint: `deploy one with: ${command('belay deploy', environment)}`,
    });
  }

  nextReleaseNumber(key: string): number {
    return (this.#parts.records.releases(key)[0]?.number ?? 0) + 1;
  }

  /** The same version under other variables, as a new release, written down. */
  successor(current: Release, reason: ReleaseReason, variables: Variables): Release {
    const release: Release = {
      ...current,
      number: this.nextReleaseNumber(current.environment),
      variables,
      reason,
      message: null,
      createdAt: this.#parts.clock.now(),
    };
    this.#parts.records.saveRelease(release);
    return release;
  }

  /** What its capacity will be under another release. */
  capacityAfter(environment: Environment, to: Release): Capacity {
    const now = this.#parts.clock.now();
    return capacityAfter(environment, this.currentRelease(environment), to, now);
  }

  /** Writes down the deployment to a release that is on record; the loop does the rest. */
  start(
    environment: Environment,
    kind: DeploymentKind,
    release: Release,
    ledgerAtStart: LedgerReading | null,
    asked: Asked = ASKED_BY_NOBODY,
  ): DeploymentView {
    const { records } = this.#parts;
    if (kind !== 'rollback') refuseNewNames(environment, release, records);
    refuseTakenDomains(environment, release, records);
    const draft = this.draft(environment, kind, release, asked);
    const deployment: Deployment = { ...draft.deployment, ledgerAtStart };
    records.saveEnvironment(draft.environment);
    records.saveDeployment(deployment);
    this.#tellStart(deployment, release);
    return deploymentView(deployment, records);
  }

  /** The deployment as it would start, and the environment with it; nothing is written down. */
  draft(
    environment: Environment,
    kind: DeploymentKind,
    release: Release,
    asked: Asked = ASKED_BY_NOBODY,
  ): { environment: Environment; deployment: Deployment } {
    const { records, clock } = this.#parts;
    const { key } = environment;
    const from = this.currentRelease(environment);
    const status =
      environment.status === 'ready'
        ? environmentMachine.move(key, environment.status, 'updating')
        : environment.status;
    const deployment: Deployment = {
      environment: key,
      number: (records.lastDeployment(key)?.number ?? 0) + 1,
      kind,
      ...asked,
      from: from?.number ?? null,
      to: release.number,
      rollout: release.configuration.rollout,
      state: 'running',
      cause: null,
      logTail: [],
      stage: null,
      hooks: hooksDue(kind, release, (hook) => `${hook}-${randomHex(8)}`),
      boot: null,
      promoted: false,
      aborted: false,
      startedAt: clock.now(),
      turnedAt: null,
      endedAt: null,
      capacityBefore: environment.capacity,
      ledgerAtStart: null,
      receipt: null,
    };
    const capacity = capacityAfter(environment, from, release, clock.now());
    return { environment: { ...environment, status, capacity }, deployment };
  }

  #tellStart({ environment, number, kind, from, by, overrides }: Deployment, to: Release): void {
    const { feed } = this.#parts;
    const change = from === null ? `release ${to.number}` : `release ${from} → ${to.number}`;
    const version = to.version === null ? '' : ` (${to.version})`;
    const who = by === null ? '' : `, asked for by ${by}`;
    feed.publish({
      environment,
      deployment: number,
      severity: 'info',
      type: 'deployment-started',
      message: `${kind} ${number}: ${change}${version}${who}`,
    });
    for (const override of overrides) {
      feed.publish({
        environment,
        deployment: number,
        severity: 'warning',
        type: 'deployment-forced',
        message: `${kind} ${number} was started all the same${by === null ? '' : ` by ${by}`}: ${override}`,
      });
    }
  }
}

/**
 * What the configuration changes counts; what `belay scale` set otherwise stays. Where policies move
 * `desired`, it is theirs: a deploy leaves it as it is, within its bounds. What sleeps, or may, wakes:
 * a release that nobody has seen serving must not be the one that the next request starts.
 */
function capacityAfter(
  environment: Environment,
  from: Release | null,
  to: Release,
  now: number,
): Capacity {
  const { capacity: wanted, scaling } = to.configuration.web;
  const least = idleMsOf(to) === null ? 0 : 1;
  const fitted = (capacity: Capacity): Capacity => ({
    ...capacity,
    desired: within(Math.max(least, capacity.desired), boundsInForce(capacity, scaling, now)),
  });
  if (!from) return fitted(wanted);
  const before = from.configuration.web.capacity;
  const { capacity, asleep } = environment;
  const sleeps = asleep && capacity.desired === 0;
  const current = sleeps ? { ...capacity, desired: asleep.desired } : capacity;
  const pick = (field: keyof Capacity): number =>
    wanted[field] === before[field] ? current[field] : wanted[field];
  const min = pick('min');
  const max = Math.max(min, pick('max'));
  const desired = followsLoad(scaling) ? current.desired : pick('desired');
  return fitted({ min, max, desired });
}
