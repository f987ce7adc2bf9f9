import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { randomHex } from '../kernel/random.ts';
import { type Deployment, isRunning } from '../model/deployment.ts';
import type { EdgeSettings } from '../model/edge-settings.ts';
import type { Environment, EnvironmentKey } from '../model/environment.ts';
import { type Instance, type InstanceState, instanceMachine, isLive } from '../model/instance.ts';
import type { Lifecycle } from '../model/lifecycle.ts';
import type { Release } from '../model/release.ts';
import { SIGNING_KEY_DIGITS, type SigningKeys, withNewKey } from '../model/signing-keys.ts';
import type { Ticket } from '../model/ticket.ts';
import type { Version } from '../model/version.ts';
import type { Failure } from '../plan/observation.ts';
import type { Store } from '../store/driver.ts';

/** How long an instance that ended by itself is remembered for back-off and verdicts. */
export const FAILURES_KEPT_MS = 15 * 60_000;

const COOKIE_KEY_DIGITS = 64;

/** More than may wait at a time, and than end while others wait. */
const TICKETS_READ = 1_000;

/**
 * Everything on record, held in memory and written through: reads are free, and what a write has
 * returned from is on disk. The one place that changes an instance's state.
 */
export class Records {
  /** Signs the cookies of sticky sessions. Goes to the edge, and is shown nowhere. */
  readonly cookieKey: string;
  readonly #store: Store;
  readonly #environments = new Map<EnvironmentKey, Environment>();
  readonly #instances = new Map<EnvironmentKey, Map<string, Instance>>();
  readonly #failures = new Map<EnvironmentKey, Failure[]>();
  readonly #releases = new Map<EnvironmentKey, Map<number, Release>>();
  readonly #lastDeployment = new Map<EnvironmentKey, Deployment>();
  /** Oldest first. */
  readonly #waiting = new Map<EnvironmentKey, Ticket[]>();

  readonly #clock: Clock;
  #edgeSettings!: EdgeSettings;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#load();
    this.cookieKey = store.cookieKey(randomHex(COOKIE_KEY_DIGITS));
  }

  /** What holds for the edge as a whole. */
  get edgeSettings(): EdgeSettings {
    return this.#edgeSettings;
  }

  saveEdgeSettings(settings: EdgeSettings): void {
    this.#store.saveEdgeSettings(settings);
    this.#edgeSettings = settings;
  }

  /** The first is made when somebody asks. They go to the edge and to the environment's instances. */
  signingKeys(key: EnvironmentKey): SigningKeys {
    const known = this.#store.signingKeys(key);
    if (known.keys.length > 0) return known;
    const made = withNewKey(known, randomHex(SIGNING_KEY_DIGITS), this.#clock.now());
    this.saveSigningKeys(key, made);
    return made;
  }

  saveSigningKeys(key: EnvironmentKey, keys: SigningKeys): void {
    this.#store.saveSigningKeys(key, keys);
  }

  /** All of `work`'s writes or none, on disk and in memory. */
  transaction<T>(work: () => T): T {
    try {
      return this.#store.transaction(work);
    } catch (fault) {
      this.#load();
      throw fault;
    }
  }

  /** After stamps have been moved on disk. */
  reload(): void {
    this.#load();
  }

  #load(): void {
    this.#edgeSettings = this.#store.edgeSettings();
    this.#environments.clear();
    for (const environment of this.#store.environments()) this.#loadEnvironment(environment);
  }

  #loadEnvironment(environment: Environment): void {
    const now = this.#clock.now();
    const { key } = environment;
    this.#environments.set(key, environment);
    this.#releases.set(key, new Map(this.#store.releases(key).map((each) => [each.number, each])));
    const [deployment] = this.#store.deployments(key, 1);
    if (deployment) this.#lastDeployment.set(key, deployment);
    this.#waiting.set(key, this.tickets(key, TICKETS_READ).filter(isWaiting).reverse());
    const instances = this.#store.instances(key, now - FAILURES_KEPT_MS);
    this.#instances.set(key, new Map(instances.filter(isLive).map((each) => [each.id, each])));
    this.#failures.set(
      key,
      instances.flatMap((each) => failureOf(each) ?? []),
    );
  }

  environments(): Environment[] {
    return [...this.#environments.values()];
  }

  find(key: EnvironmentKey): Environment | undefined {
    return this.#environments.get(key);
  }

  /** @throws `unknown-environment` */
  environment(key: EnvironmentKey): Environment {
    const environment = this.#environments.get(key);
    if (environment && environment.status !== 'terminated') return environment;
    const known = this.environments().filter(({ status }) => status !== 'terminated');
    throw new Fault({
      code: 'unknown-environment',
      message: `there is no environment ${key}`,
      subject: key,
      hint:
        known.length === 0
          ? 'start one with: belay up'
          : `there is ${known.map((each) => each.key).join(', ')}`,
    });
  }

  saveEnvironment(environment: Environment): void {
    this.#store.saveEnvironment(environment);
    this.#environments.set(environment.key, environment);
  }

  /** Live instances, in the order of their making. */
  instances(key: EnvironmentKey): Instance[] {
    return [...(this.#instances.get(key)?.values() ?? [])];
  }

  instance(key: EnvironmentKey, id: string): Instance | undefined {
    return this.#instances.get(key)?.get(id);
  }

  addInstance(instance: Instance): void {
    this.#store.saveInstance(instance);
    const known = this.#instances.get(instance.environment) ?? new Map<string, Instance>();
    known.set(instance.id, instance);
    this.#instances.set(instance.environment, known);
  }

  /** Moves an instance to another state, by the table, and keeps the reason. */
  moveInstance(
    instance: Instance,
    to: InstanceState,
    now: number,
    changes: Partial<
      Pick<Instance, 'reason' | 'inServiceAt' | 'exit' | 'unroutedBy' | 'passedAt' | 'wait'>
    >,
  ): Instance {
    const state = instanceMachine.move(instance.id, instance.state, to);
    const moved = { ...instance, ...changes, state, since: now };
    this.#store.saveInstance(moved);
    const known = this.#instances.get(instance.environment);
    if (isLive(moved)) known?.set(moved.id, moved);
    else known?.delete(moved.id);
    const failure = instance.exit ? null : failureOf(moved);
    if (failure) this.#addFailure(instance.environment, failure, now);
    return moved;
  }

  /** Keeps what is asked of an instance; its state is changed by moving it alone. */
  rewriteInstance(instance: Instance): void {
    this.#store.saveInstance(instance);
    this.#instances.get(instance.environment)?.set(instance.id, instance);
  }

  /** Notes which snapshot first went without the routes of these. */
  markUnrouted(instances: readonly Instance[], snapshot: number): void {
    for (const instance of instances) {
      const marked = { ...instance, unroutedBy: snapshot };
      this.#store.saveInstance(marked);
      this.#instances.get(instance.environment)?.set(instance.id, marked);
    }
  }

  failures(key: EnvironmentKey): readonly Failure[] {
    return this.#failures.get(key) ?? [];
  }

  #addFailure(key: EnvironmentKey, failure: Failure, now: number): void {
    const recent = this.failures(key).filter(({ at }) => at > now - FAILURES_KEPT_MS);
    this.#failures.set(key, [...recent, failure]);
  }

  /** Ended instances too. */
  instancesSince(key: EnvironmentKey, since: number): Instance[] {
    return this.#store.instances(key, since);
  }

  release(key: EnvironmentKey, number: number): Release | undefined {
    return this.#releases.get(key)?.get(number);
  }

  /** Newest first. */
  releases(key: EnvironmentKey): Release[] {
    return [...(this.#releases.get(key)?.values() ?? [])].sort((a, b) => b.number - a.number);
  }

  saveRelease(release: Release): void {
    this.#store.saveRelease(release);
    const known = this.#releases.get(release.environment) ?? new Map<number, Release>();
    known.set(release.number, release);
    this.#releases.set(release.environment, known);
  }

  versions(application: string): Version[] {
    return this.#store.versions(application);
  }

  version(application: string, label: string): Version | undefined {
    return this.versions(application).find((version) => version.label === label);
  }

  saveVersion(version: Version): void {
    this.#store.saveVersion(version);
  }

  /** Every application that ever had a version. */
  applications(): string[] {
    return this.#store.applications();
  }

  lifecycle(application: string): Lifecycle {
    return this.#store.lifecycle(application);
  }

  saveLifecycle(application: string, lifecycle: Lifecycle): void {
    this.#store.saveLifecycle(application, lifecycle);
  }

  lastDeployment(key: EnvironmentKey): Deployment | null {
    return this.#lastDeployment.get(key) ?? null;
  }

  runningDeployment(key: EnvironmentKey): Deployment | null {
    const last = this.lastDeployment(key);
    return last && isRunning(last) ? last : null;
  }

  /** Newest first. */
  deployments(key: EnvironmentKey, limit: number): Deployment[] {
    return this.#store.deployments(key, limit);
  }

  saveDeployment(deployment: Deployment): void {
    this.#store.saveDeployment(deployment);
    this.#lastDeployment.set(deployment.environment, deployment);
  }

  /** What waits for its turn, oldest first. */
  waiting(key: EnvironmentKey): readonly Ticket[] {
    return this.#waiting.get(key) ?? [];
  }

  /** Newest first. */
  tickets(key: EnvironmentKey, limit: number): Ticket[] {
    return this.#store.tickets(key, limit);
  }

  saveTicket(ticket: Ticket): void {
    this.#store.saveTicket(ticket);
    const others = this.waiting(ticket.environment).filter(
      ({ number }) => number !== ticket.number,
    );
    const waiting = isWaiting(ticket) ? [...others, ticket] : others;
    this.#waiting.set(
      ticket.environment,
      waiting.sort((a, b) => a.number - b.number),
    );
  }
}

const isWaiting = ({ state }: Ticket): boolean => state === 'waiting';

/** An instance that ended by itself, not because we stopped it. */
function failureOf(instance: Instance): Failure | null {
  if (!instance.exit) return null;
  const { id, release, createdAt, exit, inServiceAt, passedAt, wait } = instance;
  const failure = {
    ...{ instance: id, release, launchedAt: createdAt, at: exit.at },
    cause: exit.cause,
  };
  if (inServiceAt === null && wait?.turn === 'launching' && wait.answer === 'abandon') {
    return { ...failure, servedMs: null, abandoned: true };
  }
  const fitSince = inServiceAt ?? passedAt ?? null;
  return { ...failure, servedMs: fitSince === null ? null : exit.at - fitSince };
}
