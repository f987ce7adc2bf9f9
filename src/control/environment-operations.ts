import type { BundleStore } from '../bundle/driver.ts';
import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Configuration, Variables } from '../model/configuration.ts';
import type { Asked } from '../model/deployment.ts';
import { type Environment, environmentKey } from '../model/environment.ts';
import { parseName } from '../model/name.ts';
import type { Release } from '../model/release.ts';
import { withSaved } from '../model/saved-configuration.ts';
import type { VersionSource } from '../model/ticket.ts';
import type { DeploymentView } from '../model/view.ts';
import { type CloneChanges, planClone } from '../plan/clone.ts';
import { DeploymentStart } from './deployment-start.ts';
import type { EventFeed } from './event-feed.ts';
import type { Records } from './records.ts';
import { command, refuseBadCapacity, refuseIfBusy } from './refusals.ts';
import { keptSize } from './resizing.ts';
import { lastRelease } from './terminated.ts';
import { requireVersion } from './unknown-version.ts';

/** What people ask for that makes an environment, as a whole, or makes it anew. */

export interface EnvironmentOperationParts {
  records: Records;
  edge: EdgeDriver;
  bundles: BundleStore;
  feed: EventFeed;
  clock: Clock;
  wake: (environment: string) => void;
}

export interface CreateInput {
  configuration: Configuration;
  variables: Variables;
  /** A bundle that was sent, the label of a version that is there, or null for a fixed address. */
  version: VersionSource | string | null;
}

export interface CloneInput extends CloneChanges {
  /** The environment that is to be. */
  name: string;
  /** A configuration in place of the source's; its names are still the clone's own. */
  configuration: Configuration | null;
}

export class EnvironmentOperations {
  readonly #parts: EnvironmentOperationParts;
  readonly #starts: DeploymentStart;

  constructor(parts: EnvironmentOperationParts) {
    this.#parts = parts;
    this.#starts = new DeploymentStart(parts);
  }

  /** @throws `environment-exists`, `unknown-version`, `unknown-bundle`, `domain-taken` */
  async create(
    application: string,
    name: string,
    input: CreateInput,
    asked: Asked,
  ): Promise<DeploymentView> {
    parseName('application', application);
    const source =
      typeof input.version === 'string'
        ? requireVersion(application, input.version, this.#parts.records)
        : input.version;
    if (source) await this.#refuseMissingBundle(source);
    const { configuration, variables } = input;
    return await this.#bringUp(application, name, asked, () => ({
      version: source && this.#starts.versionFor(application, source, asked.message).label,
      configuration,
      variables,
      reason: 'deploy',
    }));
  }

  /** The same as another but for what is said. @throws `environment-exists`, `no-release` */
  async clone(
    application: string,
    from: string,
    { name, configuration, ...changes }: CloneInput,
    asked: Asked,
  ): Promise<DeploymentView> {
    const { records } = this.#parts;
    return await this.#bringUp(application, name, asked, () => {
      const environment = records.environment(environmentKey(application, from));
      const release = this.#starts.runningRelease(environment);
      const source = configuration
        ? savedSource(release.configuration, configuration)
        : { ...release, capacity: environment.capacity };
      const planned = planClone({ ...source, application }, name, changes);
      const size = configuration ? {} : keptSize(release);
      return { version: release.version, reason: 'clone', ...planned, ...size };
    });
  }

  /**
   * Ends every instance and starts as many new ones from what is on record, under the same names. Of
   * a terminated environment, what it last ran comes back.
   *
   * @throws `unknown-environment`, `no-release`, `unknown-bundle`, `domain-taken`
   */
  async rebuild(application: string, name: string, asked: Asked): Promise<DeploymentView> {
    const { records, clock } = this.#parts;
    const key = environmentKey(application, name);
    const digest = this.#digestOf(this.#lastRelease(this.#anyEnvironment(key)));
    if (digest !== null) await this.#refuseMissingBundle({ digest });
    const ledger = await this.#starts.readLedger();
    return this.#write(key, () => {
      const known = this.#anyEnvironment(key);
      refuseIfBusy(known, records);
      const last = this.#lastRelease(known);
      const { configuration } = last;
      const environment = this.#starts.environmentFor({
        ...{ application, environment: name, configuration },
      });
      this.#drainAll(key, clock.now());
      const release = this.#starts.successor(last, 'rebuild', last.variables);
      // As if it were the first: nothing of what runs is compared with, or gone back to.
      const bare = { ...environment, release: null };
      const started = this.#starts.start(bare, 'rebuild', release, ledger, asked);
      const { capacity } = known;
      records.saveEnvironment({
        ...this.#anyEnvironment(key),
        release: environment.release,
        capacity,
      });
      return started;
    });
  }

  /** A first release in an environment that is not there. */
  async #bringUp(
    application: string,
    name: string,
    asked: Asked,
    content: () => Pick<Release, 'version' | 'configuration' | 'variables' | 'size' | 'reason'>,
  ): Promise<DeploymentView> {
    const { records, clock } = this.#parts;
    parseName('environment', name);
    const key = environmentKey(application, name);
    const ledger = await this.#starts.readLedger();
    return this.#write(key, () => {
      refuseExisting(records.find(key));
      const made = content();
      const { configuration } = made;
      const known = this.#starts.environmentFor({
        ...{ application, environment: name, configuration },
      });
      // A new one has the names of its configuration, whatever the last of its name had swapped.
      const environment = { ...known, names: null };
      refuseBadCapacity(environment, configuration.web.capacity);
      const release: Release = {
        ...made,
        environment: key,
        number: this.#starts.nextReleaseNumber(key),
        message: asked.message,
        createdAt: clock.now(),
      };
      records.saveRelease(release);
      return this.#starts.start(environment, 'deploy', release, ledger, asked);
    });
  }

  /** What starts or waits never serves again: the plan ends it, as nothing wants it. */
  #drainAll(key: string, now: number): void {
    const { records } = this.#parts;
    for (const instance of records.instances(key)) {
      if (instance.state !== 'in-service') continue;
      const reason = 'the environment is rebuilt';
      records.moveInstance(instance, 'draining', now, { reason, unroutedBy: null });
    }
  }

  /** Terminated ones too. */
  #anyEnvironment(key: string): Environment {
    const { records } = this.#parts;
    return records.find(key) ?? records.environment(key);
  }

  /** What it runs, or last ran with success. @throws `no-release` */
  #lastRelease(environment: Environment): Release {
    return (
      lastRelease(environment, this.#parts.records) ?? this.#starts.runningRelease(environment)
    );
  }

  #digestOf({ environment, version }: Release): string | null {
    if (version === null) return null;
    const { application } = this.#anyEnvironment(environment);
    return requireVersion(application, version, this.#parts.records).digest;
  }

  async #refuseMissingBundle({ digest }: Pick<VersionSource, 'digest'>): Promise<void> {
    if (await this.#parts.bundles.has(digest)) return;
    throw new Fault({
      code: 'unknown-bundle',
      message: 'the bundle of this version is not here any more',
      subject: digest,
      hint: 'send it again with: belay deploy',
    });
  }

  #write<T>(key: string, work: () => T): T {
    const result = this.#parts.records.transaction(work);
    this.#parts.wake(key);
    return result;
  }
}

const savedSource = (own: Configuration, saved: Configuration) => ({
  configuration: withSaved(own, saved),
  variables: {},
  capacity: saved.web.capacity,
});

function refuseExisting(known: Environment | undefined): void {
  if (!known || known.status === 'terminated') return;
  throw new Fault({
    code: 'environment-exists',
    message: `there is an environment ${known.key} already`,
    subject: known.key,
    hint: `ship to it with: ${command('belay deploy', known)}, or choose another name`,
  });
}
