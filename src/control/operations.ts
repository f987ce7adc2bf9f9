import type { BundleStore } from '../bundle/driver.ts';
import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Capacity, Variables } from '../model/configuration.ts';
import { type Environment, environmentKey, environmentMachine } from '../model/environment.ts';
import { parseName } from '../model/name.ts';
import { type Release, sameContent } from '../model/release.ts';
import type { DeploymentView } from '../model/view.ts';
import { DeploymentStart, type Destination, type VersionSource } from './deployment-start.ts';
import type { EventFeed } from './event-feed.ts';
import { abortDeployment, promoteDeployment } from './interventions.ts';
import type { Records } from './records.ts';
import {
  command,
  nothingToGoBackTo,
  refuseBadCapacity,
  refuseIfBusy,
  terminating,
} from './refusals.ts';

/** What people ask for. Each is checked whole, then written down at once; the loop does the rest. */

export interface DeployInput extends Destination {
  version: VersionSource | null;
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
  readonly #starts: DeploymentStart;

  constructor(parts: OperationParts) {
    this.#parts = parts;
    this.#starts = new DeploymentStart(parts);
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
    const ledger = await this.#starts.readLedger();
    return this.#write(key, () => {
      const environment = this.#starts.environmentFor(input);
      refuseIfBusy(environment, this.#parts.records);
      const current = this.#starts.currentRelease(environment);
      const { application, message } = input;
      const version = input.version && this.#starts.versionFor(application, input.version, message);
      const release: Release = {
        environment: key,
        number: this.#starts.nextReleaseNumber(key),
        version: version?.label ?? null,
        configuration: input.configuration,
        variables: current?.variables ?? records.releases(key)[0]?.variables ?? {},
        reason: 'deploy',
        message,
        createdAt: this.#parts.clock.now(),
      };
      if (input.unchanged === 'skip' && current && sameContent(current, release)) return null;
      records.saveRelease(release);
      return this.#starts.start(environment, 'deploy', release, ledger);
    });
  }

  async rollback(
    application: string,
    name: string,
    to: string | number | null,
  ): Promise<DeploymentView> {
    const key = environmentKey(application, name);
    const ledger = await this.#starts.readLedger();
    return this.#write(key, () => {
      const environment = this.#parts.records.environment(key);
      refuseIfBusy(environment, this.#parts.records);
      const release = this.#rollbackGoal(environment, to);
      return this.#starts.start(environment, 'rollback', release, ledger);
    });
  }

  async restart(application: string, name: string): Promise<DeploymentView> {
    const key = environmentKey(application, name);
    const ledger = await this.#starts.readLedger();
    return this.#write(key, () => {
      const environment = this.#parts.records.environment(key);
      refuseIfBusy(environment, this.#parts.records);
      const current = this.#starts.runningRelease(environment);
      const release = this.#starts.successor(current, 'restart', current.variables);
      return this.#starts.start(environment, 'restart', release, ledger);
    });
  }

  async setVariables(
    application: string,
    name: string,
    change: { set: Variables; unset: readonly string[] },
  ): Promise<DeploymentView | null> {
    const key = environmentKey(application, name);
    const ledger = await this.#starts.readLedger();
    return this.#write(key, () => {
      const environment = this.#parts.records.environment(key);
      refuseIfBusy(environment, this.#parts.records);
      const current = this.#starts.runningRelease(environment);
      const variables = { ...current.variables, ...change.set };
      for (const unset of change.unset) delete variables[unset];
      if (sameContent(current, { ...current, variables })) return null;
      return this.#starts.start(
        environment,
        'env',
        this.#starts.successor(current, 'env', variables),
        ledger,
      );
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

  #write<T>(key: string, work: () => T): T {
    const result = this.#parts.records.transaction(work);
    this.#parts.wake(key);
    return result;
  }

  #rollbackGoal(environment: Environment, to: string | number | null): Release {
    const { records } = this.#parts;
    const current = this.#starts.runningRelease(environment);
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
}
