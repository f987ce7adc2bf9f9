import type { BundleStore } from '../bundle/driver.ts';
import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Capacity, Configuration, Rollout, Variables } from '../model/configuration.ts';
import type { Deployment, DeploymentKind } from '../model/deployment.ts';
import { type Environment, environmentKey, environmentMachine } from '../model/environment.ts';
import type { LedgerReading } from '../model/ledger.ts';
import { parseName } from '../model/name.ts';
import { type Release, type ReleaseReason, sameContent } from '../model/release.ts';
import { type Version, versionLabel } from '../model/version.ts';
import type { DeploymentView } from '../model/view.ts';
import type { EventFeed } from './event-feed.ts';
import { abortDeployment, promoteDeployment } from './interventions.ts';
import type { Records } from './records.ts';
import {
  command,
  nothingToGoBackTo,
  refuseBadCapacity,
  refuseIfBusy,
  refuseTakenDomains,
  terminating,
} from './refusals.ts';
import { deploymentView } from './views.ts';

/** What people ask for. Each is checked whole, then written down at once; the loop does the rest. */

export interface DeployInput {
  application: string;
  environment: string;
  configuration: Configuration;
  version: {
    digest: string;
    files: number;
    sizeBytes: number;
    author: string | null;
    commit: string | null;
  } | null;
  message: string | null;
  unchanged: 'deploy' | 'skip';
}

export interface OperationParts {
  records: Records;
  edge: EdgeDriver;
  bundles: BundleStore;
  feed: EventFeed;
  clock: Clock;
  wake: (environment: string) => void;
}

export class Operations {
  readonly #parts: OperationParts;

  constructor(parts: OperationParts) {
    this.#parts = parts;
  }

  /** @returns null when nothing would change and the input says to skip then */
  async deploy(input: DeployInput): Promise<DeploymentView | null> {
    const { records, bundles } = this.#parts;
    parseName('application', input.application);
    parseName('environment', input.environment);
    if (input.version && !(await bundles.has(input.version.digest))) {
      throw new Fault({
        code: 'unknown-bundle',
        message: 'the bundle of this version is not here',
        subject: input.version.digest,
        hint: 'send it again with: belay deploy',
      });
    }
    const key = environmentKey(input.application, input.environment);
    const ledger = await this.#readLedger();
    return this.#write(key, () => {
      const environment = this.#environmentFor(input);
      refuseIfBusy(environment, this.#parts.records);
      const current = this.#currentRelease(environment);
      const version = input.version && this.#versionFor(input, input.version);
      const release: Release = {
        environment: key,
        number: this.#nextRelease(key),
        version: version?.label ?? null,
        configuration: input.configuration,
        variables: current?.variables ?? records.releases(key)[0]?.variables ?? {},
        reason: 'deploy',
        message: input.message,
        createdAt: this.#parts.clock.now(),
      };
      if (input.unchanged === 'skip' && current && sameContent(current, release)) return null;
      records.saveRelease(release);
      return this.#start(environment, 'deploy', release, ledger);
    });
  }

  async rollback(
    application: string,
    name: string,
    to: string | number | null,
  ): Promise<DeploymentView> {
    const key = environmentKey(application, name);
    const ledger = await this.#readLedger();
    return this.#write(key, () => {
      const environment = this.#parts.records.environment(key);
      refuseIfBusy(environment, this.#parts.records);
      const release = this.#rollbackGoal(environment, to);
      return this.#start(environment, 'rollback', release, ledger);
    });
  }

  async restart(application: string, name: string): Promise<DeploymentView> {
    const key = environmentKey(application, name);
    const ledger = await this.#readLedger();
    return this.#write(key, () => {
      const environment = this.#parts.records.environment(key);
      refuseIfBusy(environment, this.#parts.records);
      const current = this.#runningRelease(environment);
      const release = this.#successor(current, 'restart', current.variables);
      return this.#start(environment, 'restart', release, ledger);
    });
  }

  async setVariables(
    application: string,
    name: string,
    change: { set: Variables; unset: readonly string[] },
  ): Promise<DeploymentView | null> {
    const key = environmentKey(application, name);
    const ledger = await this.#readLedger();
    return this.#write(key, () => {
      const environment = this.#parts.records.environment(key);
      refuseIfBusy(environment, this.#parts.records);
      const current = this.#runningRelease(environment);
      const variables = { ...current.variables, ...change.set };
      for (const unset of change.unset) delete variables[unset];
      if (sameContent(current, { ...current, variables })) return null;
      return this.#start(environment, 'env', this.#successor(current, 'env', variables), ledger);
    });
  }

  abort(application: string, name: string): DeploymentView {
    return abortDeployment(environmentKey(application, name), this.#parts);
  }

  promote(application: string, name: string): DeploymentView {
    return promoteDeployment(environmentKey(application, name), this.#parts);
  }

  scale(application: string, name: string, change: Partial<Capacity>): void {
    const { records, feed, wake } = this.#parts;
    const key = environmentKey(application, name);
    const environment = records.environment(key);
    if (environment.status === 'terminating') throw terminating(environment);
    const min = change.min ?? environment.capacity.min;
    const max = change.max ?? environment.capacity.max;
    const desired = change.desired ?? Math.min(max, Math.max(min, environment.capacity.desired));
    const capacity = { min, desired, max };
    refuseBadCapacity(environment, capacity);
    records.transaction(() => {
      records.saveEnvironment({ ...environment, capacity });
      const running = records.runningDeployment(key);
      if (running) records.saveDeployment({ ...running, capacityBefore: capacity });
      feed.publish({
        environment: key,
        severity: 'info',
        type: 'scaled',
        message: `capacity is now ${desired} (min ${min}, max ${max}); it was ${environment.capacity.desired}`,
      });
    });
    wake(key);
  }

  terminate(application: string, name: string): void {
    const { records, feed, wake } = this.#parts;
    const key = environmentKey(application, name);
    const environment = records.environment(key);
    if (environment.status === 'terminating') return;
    const status = environmentMachine.move(key, environment.status, 'terminating');
    records.transaction(() => {
      records.saveEnvironment({ ...environment, status });
      feed.publish({
        environment: key,
        severity: 'info',
        type: 'environment-terminating',
        message: `${key} is being terminated`,
      });
    });
    wake(key);
  }

  async #readLedger(): Promise<LedgerReading | null> {
    try {
      return await this.#parts.edge.ledger();
    } catch {
      // Without a reading there is no receipt; that must not stop anybody from deploying a cure.
      return null;
    }
  }

  #write<T>(key: string, work: () => T): T {
    const result = this.#parts.records.transaction(work);
    this.#parts.wake(key);
    return result;
  }

  #environmentFor({ application, environment, configuration }: DeployInput): Environment {
    const key = environmentKey(application, environment);
    const known = this.#parts.records.find(key);
    const { capacity } = configuration.web;
    if (!known) {
      const createdAt = this.#parts.clock.now();
      const status = 'launching';
      return { key, application, name: environment, status, release: null, capacity, createdAt };
    }
    if (known.status !== 'terminated') return known;
    const status = environmentMachine.move(key, known.status, 'launching');
    return { ...known, status, capacity, createdAt: this.#parts.clock.now() };
  }

  #versionFor(input: DeployInput, source: NonNullable<DeployInput['version']>): Version {
    const { records, clock } = this.#parts;
    const versions = records.versions(input.application);
    const known = versions.find(({ digest }) => digest === source.digest);
    if (known) return known;
    const highest = Math.max(0, ...versions.map(({ label }) => Number(label.slice(1))));
    const version: Version = {
      application: input.application,
      label: versionLabel(highest + 1),
      createdAt: clock.now(),
      message: input.message,
      ...source,
    };
    records.saveVersion(version);
    return version;
  }

  #currentRelease({ key, release }: Environment): Release | null {
    return release === null ? null : (this.#parts.records.release(key, release) ?? null);
  }

  #runningRelease(environment: Environment): Release {
    const current = this.#currentRelease(environment);
    if (current) return current;
    throw new Fault({
      code: 'no-release',
      message: `${environment.key} has no release that ever was healthy`,
      subject: environment.key,
      hint: `deploy one with: ${command('belay deploy', environment)}`,
    });
  }

  #nextRelease(key: string): number {
    return (this.#parts.records.releases(key)[0]?.number ?? 0) + 1;
  }

  #successor(current: Release, reason: ReleaseReason, variables: Variables): Release {
    const release: Release = {
      ...current,
      number: this.#nextRelease(current.environment),
      variables,
      reason,
      message: null,
      createdAt: this.#parts.clock.now(),
    };
    this.#parts.records.saveRelease(release);
    return release;
  }

  #rollbackGoal(environment: Environment, to: string | number | null): Release {
    const { records } = this.#parts;
    const current = this.#runningRelease(environment);
    const proven = this.#provenReleases(environment);
    const number = typeof to === 'string' && /^\d+$/.test(to) ? Number(to) : to;
    const goal =
      number === null
        ? proven.find(
            (release) => release.number < current.number && !sameContent(release, current),
          )
        : typeof number === 'number'
          ? records.release(environment.key, number)
          : proven.find(({ version }) => version === number);
    if (!goal) throw nothingToGoBackTo(environment, current, to, proven);
    if (goal.number === current.number) {
      throw new Fault({
        code: 'already-there',
        message: `${environment.key} runs release ${goal.number} (${goal.version ?? 'no version'}) already`,
        subject: String(to),
        hint: `to replace its instances, use: ${command('belay restart', environment)}`,
      });
    }
    return goal;
  }

  /** Releases that were deployed with success, newest first. */
  #provenReleases({ key }: Environment): Release[] {
    const { records } = this.#parts;
    const proven = new Set(
      records
        .deployments(key, 1_000)
        .filter(({ state }) => state === 'succeeded')
        .map(({ to }) => to),
    );
    return records.releases(key).filter(({ number }) => proven.has(number));
  }

  #start(
    environment: Environment,
    kind: DeploymentKind,
    release: Release,
    ledgerAtStart: LedgerReading | null,
  ): DeploymentView {
    const { records, clock, feed } = this.#parts;
    const { key } = environment;
    refuseTakenDomains(environment, release.configuration.domains, records);
    const from = this.#currentRelease(environment);
    const status =
      environment.status === 'ready'
        ? environmentMachine.move(key, environment.status, 'updating')
        : environment.status;
    const capacity = capacityAfter(environment, from, release);
    const deployment: Deployment = {
      environment: key,
      number: (records.lastDeployment(key)?.number ?? 0) + 1,
      kind,
      from: from?.number ?? null,
      to: release.number,
      rollout: rolloutOf(release),
      state: 'running',
      cause: null,
      logTail: [],
      stage: null,
      promoted: false,
      aborted: false,
      startedAt: clock.now(),
      turnedAt: null,
      endedAt: null,
      capacityBefore: environment.capacity,
      ledgerAtStart,
      receipt: null,
    };
    records.saveEnvironment({ ...environment, status, capacity });
    records.saveDeployment(deployment);
    feed.publish({
      environment: key,
      deployment: deployment.number,
      severity: 'info',
      type: 'deployment-started',
      message: `${kind} ${deployment.number}: ${from ? `release ${from.number} → ${release.number}` : `release ${release.number}`}${release.version ? ` (${release.version})` : ''}`,
    });
    return deploymentView(deployment, records);
  }
}

const rolloutOf = (release: Release): Rollout => release.configuration.rollout;

/** What the configuration changes counts; what `belay scale` set otherwise stays. */
function capacityAfter(environment: Environment, from: Release | null, to: Release): Capacity {
  const wanted = to.configuration.web.capacity;
  if (!from) return wanted;
  const before = from.configuration.web.capacity;
  const pick = (field: keyof Capacity): number =>
    wanted[field] === before[field] ? environment.capacity[field] : wanted[field];
  const min = pick('min');
  const max = Math.max(min, pick('max'));
  return { min, max, desired: Math.min(max, Math.max(min, pick('desired'))) };
}
