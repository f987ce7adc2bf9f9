import type { Readable } from 'node:stream';
import type { BundleFile, BundleStore } from '../bundle/driver.ts';
import type { EdgeDriver, EdgeEvent } from '../edge/driver.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import { randomHex } from '../kernel/random.ts';
import type { Capacity, Variables } from '../model/configuration.ts';
import { type EnvironmentKey, environmentKey } from '../model/environment.ts';
import type { BelayEvent } from '../model/event.ts';
import type { LedgerReading } from '../model/ledger.ts';
import type { Release } from '../model/release.ts';
import type { Version } from '../model/version.ts';
import type {
  DaemonView,
  DeploymentDetail,
  DeploymentView,
  EnvironmentView,
  ReleaseView,
} from '../model/view.ts';
import { planEnvironment } from '../plan/environment.ts';
import type { LogQuery, Runtime, Slot } from '../runtime/driver.ts';
import type { Store } from '../store/driver.ts';
import { EdgeView } from './edge-view.ts';
import { EventFeed } from './event-feed.ts';
import { ReconcileLoop } from './loop.ts';
import { observeEnvironment, type Slots } from './observe.ts';
import { type DeployInput, Operations } from './operations.ts';
import { type Boundary, directoryOf, Performer } from './performer.ts';
import { Records } from './records.ts';
import { Router } from './router.ts';
import { Traffic } from './traffic.ts';
import { deploymentView, environmentView } from './views.ts';

/**
 * The control plane: observe → plan → perform → record, for every environment, until it agrees with
 * what is desired. The only writer of desired state. Its end, however sudden, harms nobody: the
 * edge and the instances go on, and the next life carries on from the journal.
 */

/** A plan that still wants steps after so many rounds is looked at again later. */
const MAX_ROUNDS = 50;
const TRAFFIC_SAMPLE_MS = 5_000;
/** How long the logs of an ended instance can be asked for by environment. */
const ENDED_SHOWN_MS = 15 * 60_000;

export interface ControlParts {
  store: Store;
  runtime: Runtime;
  edge: EdgeDriver;
  bundles: BundleStore;
  clock: Clock;
  log: Log;
  /** Belay's own version. */
  version: string;
  home: string;
  boundary?: Boundary;
}

export interface InstanceLog {
  instance: string;
  release: number;
  lines: string[];
}

export class Control {
  readonly #parts: ControlParts;
  readonly #records: Records;
  readonly #feed: EventFeed;
  readonly #view = new EdgeView();
  readonly #traffic = new Traffic();
  readonly #router: Router;
  readonly #performer: Performer;
  readonly #operations: Operations;
  readonly #loop: ReconcileLoop;
  readonly #startedAt: number;
  #sampling: Timer | null = null;
  #unwatchRuntime: (() => void) | null = null;

  constructor(parts: ControlParts) {
    const { store, runtime, edge, bundles, clock, log } = parts;
    this.#parts = parts;
    this.#startedAt = clock.now();
    this.#records = new Records(store, clock);
    this.#feed = new EventFeed(store, clock);
    const wake = (key: string) => this.#loop.wake(key);
    const shared = { records: this.#records, store, edge, log };
    const slots = () => this.#slots();
    this.#router = new Router({ ...shared, view: this.#view, slots });
    const boundary = parts.boundary ?? (() => {});
    const acting = { ...shared, runtime, bundles, feed: this.#feed, clock, wake };
    this.#performer = new Performer({ ...acting, boundary });
    this.#operations = new Operations(acting);
    this.#loop = new ReconcileLoop((key) => this.#reconcile(key), clock, log);
  }

  /** Adopts what runs, closes what an earlier life left open, and begins to reconcile. */
  async start(): Promise<void> {
    const { store, runtime, edge, clock, log } = this.#parts;
    const interrupted = store.interruptOpenSteps(clock.now());
    if (interrupted > 0) log.warn({ interrupted }, 'an earlier life ended amid these steps');
    await runtime.start();
    this.#view.replace(await edge.start());
    this.#view.watch(edge, (event) => this.#onEdgeEvent(event));
    this.#unwatchRuntime = runtime.watch(() => this.#wakeAll());
    await this.#removeStrays();
    this.#sampling = clock.every(TRAFFIC_SAMPLE_MS, () => void this.#sampleTraffic());
    await this.#sampleTraffic();
    this.#wakeAll();
  }

  /** Lets go of everything; what runs goes on running. */
  async close(): Promise<void> {
    this.#sampling?.cancel();
    this.#unwatchRuntime?.();
    this.#view.close();
    await this.#loop.close();
    await this.#parts.runtime.close();
    await this.#parts.edge.close();
    this.#parts.store.close();
  }

  /** Resolves when one environment needs nothing more, for tests and measurements. */
  async reconcileNow(key: EnvironmentKey): Promise<void> {
    await this.#reconcile(key);
  }

  async #reconcile(key: EnvironmentKey): Promise<number | null> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const environment = this.#records.find(key);
      if (!environment || environment.status === 'terminated') {
        await this.#router.refresh();
        this.#loop.forget(key);
        return null;
      }
      const slots = await this.#slots();
      const observation = observeEnvironment(environment, this.#records, slots, this.#view);
      const now = this.#parts.clock.now();
      const plan = planEnvironment(observation, now, () => `i-${randomHex(8)}`);
      const steps = plan.steps.filter((step) => !this.#performer.isUnderWay(step));
      if (steps.length === 0) {
        const changed = await this.#router.refresh();
        if (changed) continue;
        return plan.wakeAt;
      }
      await Promise.all(steps.map((step) => this.#performer.perform(key, step, slots)));
      await this.#router.refresh();
    }
    this.#parts.log.warn({ environment: key }, 'still not converged; carrying on in a moment');
    return null;
  }

  async #slots(): Promise<Slots> {
    const slots = await this.#parts.runtime.list();
    return new Map(slots.map((slot): [string, Slot] => [slot.id, slot]));
  }

  /** Slots of instances that are on record as gone: a crash came between the two. */
  async #removeStrays(): Promise<void> {
    const live = new Set(
      this.#records
        .environments()
        .flatMap(({ key }) => this.#records.instances(key).map(({ id }) => id)),
    );
    const strays = (await this.#parts.runtime.list()).filter(({ id }) => !live.has(id));
    await Promise.all(strays.map(({ id }) => this.#parts.runtime.remove(id, 0)));
  }

  #wakeAll(): void {
    for (const { key, status } of this.#records.environments()) {
      if (status !== 'terminated') this.#loop.wake(key);
    }
  }

  #onEdgeEvent(event: EdgeEvent): void {
    switch (event.kind) {
      case 'targets':
        for (const pool of new Set(event.targets.map((target) => target.pool))) {
          this.#loop.wake(pool.slice(0, pool.lastIndexOf('#')));
        }
        return;
      case 'worker-died':
        this.#feed.publish({
          severity: 'warning',
          type: 'edge-worker-died',
          message: `edge worker ${event.pid} was ended by ${event.signal ?? 'itself'}; at most ${event.unaccounted} requests have no account`,
        });
        return;
      case 'disconnected':
        this.#feed.publish({
          severity: 'warning',
          type: 'edge-disconnected',
          message:
            'the edge’s supervisor is gone; its workers go on, and one of them starts another',
        });
        return;
      case 'connected':
        this.#router.forget();
        this.#feed.publish({
          severity: 'info',
          type: 'edge-connected',
          message: `connected to the edge, generation ${event.status.generation}`,
        });
        this.#wakeAll();
    }
  }

  async #sampleTraffic(): Promise<void> {
    try {
      this.#traffic.keep(await this.#parts.edge.ledger());
    } catch (fault) {
      this.#parts.log.debug({ fault: messageOf(fault) }, 'no ledger to read');
    }
  }

  // What people ask for.

  async deploy(input: DeployInput): Promise<DeploymentView | null> {
    const deployment = await this.#operations.deploy(input);
    return deployment && deploymentView(deployment, this.#records);
  }

  async rollback(
    application: string,
    environment: string,
    to: string | number | null,
  ): Promise<DeploymentView> {
    const deployment = await this.#operations.rollback(application, environment, to);
    return deploymentView(deployment, this.#records);
  }

  async restart(application: string, environment: string): Promise<DeploymentView> {
    return deploymentView(await this.#operations.restart(application, environment), this.#records);
  }

  abort(application: string, environment: string): DeploymentView {
    return deploymentView(this.#operations.abort(application, environment), this.#records);
  }

  async setVariables(
    application: string,
    environment: string,
    change: { set: Variables; unset: readonly string[] },
  ): Promise<DeploymentView | null> {
    const deployment = await this.#operations.setVariables(application, environment, change);
    return deployment && deploymentView(deployment, this.#records);
  }

  async scale(
    application: string,
    environment: string,
    change: Partial<Capacity>,
  ): Promise<EnvironmentView> {
    this.#operations.scale(application, environment, change);
    return await this.environment(application, environment);
  }

  async terminate(application: string, environment: string): Promise<EnvironmentView> {
    this.#operations.terminate(application, environment);
    return await this.environment(application, environment);
  }

  async upgradeEdge(): Promise<DaemonView> {
    this.#view.replace(await this.#parts.edge.upgrade());
    this.#router.forget();
    this.#wakeAll();
    return await this.daemon();
  }

  /** Stops the edge, which only makes sense when nothing is routed. */
  async stopEdge(): Promise<void> {
    const live = this.#records.environments().filter(({ status }) => status !== 'terminated');
    if (live.length > 0) {
      throw new Fault({
        code: 'environments-running',
        message: `the edge serves ${live.map(({ key }) => key).join(', ')}`,
        hint: 'terminate them first: belay down --all',
      });
    }
    await this.#parts.edge.stop(0);
  }

  // What people want to know.

  async daemon(): Promise<DaemonView> {
    const { version, home, runtime } = this.#parts;
    return {
      pid: process.pid,
      version,
      home,
      startedAt: this.#startedAt,
      edge: await this.#edgeStatus(),
      runtime: runtime.capabilities.name,
    };
  }

  async #edgeStatus(): Promise<DaemonView['edge']> {
    try {
      const { targets, ...status } = await this.#parts.edge.status();
      return status;
    } catch {
      return null;
    }
  }

  async ledger(): Promise<LedgerReading> {
    return await this.#parts.edge.ledger();
  }

  async environments(application?: string): Promise<EnvironmentView[]> {
    const chosen = this.#records
      .environments()
      .filter(({ status }) => status !== 'terminated')
      .filter((each) => application === undefined || each.application === application);
    return await this.#views(chosen.map(({ key }) => key));
  }

  async environment(application: string, name: string): Promise<EnvironmentView> {
    const { key } = this.#records.environment(environmentKey(application, name));
    const [view] = await this.#views([key]);
    if (!view) throw new Error(`no view of ${key}`);
    return view;
  }

  async #views(keys: readonly EnvironmentKey[]): Promise<EnvironmentView[]> {
    await this.#sampleTraffic();
    const slots = await this.#slots();
    const edge = await this.#edgeStatus();
    const context = { port: edge?.listeners[0]?.port ?? null, now: this.#parts.clock.now() };
    return keys.map((key) => {
      const environment = this.#records.environment(key);
      const observation = observeEnvironment(environment, this.#records, slots, this.#view);
      const traffic = this.#traffic.of(key);
      return environmentView(observation, this.#records, slots, { ...context, traffic });
    });
  }

  deployments(application: string, name: string, limit: number): DeploymentView[] {
    const { key } = this.#records.environment(environmentKey(application, name));
    return this.#records.deployments(key, limit).map((each) => deploymentView(each, this.#records));
  }

  deployment(application: string, name: string, number: number): DeploymentDetail {
    const key = environmentKey(application, name);
    const deployment = this.#records
      .deployments(key, 10_000)
      .find((each) => each.number === number);
    if (!deployment) {
      throw new Fault({
        code: 'unknown-deployment',
        message: `${key} has no deployment #${number}`,
        subject: key,
      });
    }
    const steps = this.#parts.store.steps(key, number);
    return { ...deploymentView(deployment, this.#records), steps };
  }

  releases(application: string, name: string): ReleaseView[] {
    const environment = this.#records.environment(environmentKey(application, name));
    return this.#records.releases(environment.key).map((release) => ({
      number: release.number,
      version: release.version,
      reason: release.reason,
      message: release.message,
      createdAt: release.createdAt,
      current: release.number === environment.release,
    }));
  }

  release(
    application: string,
    name: string,
    number: number,
  ): Release & { directory: string | null } {
    const environment = this.#records.environment(environmentKey(application, name));
    const release = this.#records.release(environment.key, number);
    if (!release) {
      throw new Fault({
        code: 'unknown-release',
        message: `${environment.key} has no release ${number}`,
        subject: environment.key,
        hint: 'see them with: belay versions',
      });
    }
    const directory =
      release.version === null
        ? null
        : directoryOf(environment, release, this.#records, this.#parts.bundles);
    return { ...release, directory };
  }

  variables(
    application: string,
    name: string,
  ): { name: string; value: string; source: 'configuration' | 'environment' }[] {
    const environment = this.#records.environment(environmentKey(application, name));
    const release =
      environment.release === null
        ? undefined
        : this.#records.release(environment.key, environment.release);
    const own = release?.variables ?? {};
    const all = { ...release?.configuration.web.variables, ...own };
    return Object.entries(all)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({
        name: key,
        value,
        source: key in own ? 'environment' : 'configuration',
      }));
  }

  versions(application: string): (Version & { runningIn: string[] })[] {
    const environments = this.#records
      .environments()
      .filter((each) => each.application === application && each.status !== 'terminated');
    return this.#records.versions(application).map((version) => ({
      ...version,
      runningIn: environments
        .filter(
          ({ key, release }) =>
            release !== null && this.#records.release(key, release)?.version === version.label,
        )
        .map(({ name }) => name),
    }));
  }

  async versionFiles(application: string, label: string): Promise<BundleFile[]> {
    const version = this.#records.version(application, label);
    if (!version) {
      throw new Fault({
        code: 'unknown-version',
        message: `${application} has no version ${label}`,
        subject: label,
        hint: 'see them with: belay versions',
      });
    }
    return await this.#parts.bundles.files(version.digest);
  }

  hasBundle(digest: string): Promise<boolean> {
    return this.#parts.bundles.has(digest);
  }

  receiveBundle(
    digest: string,
    tar: Readable,
    expected: { files: number; sizeBytes: number },
  ): Promise<void> {
    return this.#parts.bundles.receive(digest, tar, expected);
  }

  async logs(
    application: string,
    name: string,
    instance: string | undefined,
    query: LogQuery,
  ): Promise<InstanceLog[]> {
    const { key } = this.#records.environment(environmentKey(application, name));
    const since = this.#parts.clock.now() - ENDED_SHOWN_MS;
    const known = this.#records.instancesSince(key, since);
    const chosen = known.filter(({ id }) => instance === undefined || id === instance);
    if (instance !== undefined && chosen.length === 0) throw unknownInstance(key, instance);
    return await Promise.all(
      chosen.map(async ({ id, release }) => ({
        instance: id,
        release,
        lines: await this.#parts.runtime.logs(id, query),
      })),
    );
  }

  /** Lines as they are written, of the instances that live now. */
  async *followLogs(
    application: string,
    name: string,
    instance: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<{ instance: string; line: string }> {
    const { key } = this.#records.environment(environmentKey(application, name));
    const live = this.#records.instances(key);
    const chosen = live.filter(({ id }) => instance === undefined || id === instance);
    if (chosen.length === 0) throw unknownInstance(key, instance ?? 'any');
    const queue: { instance: string; line: string }[] = [];
    let wake: () => void = () => {};
    for (const { id } of chosen) {
      void (async () => {
        for await (const line of this.#parts.runtime.follow(id, signal)) {
          queue.push({ instance: id, line });
          wake();
        }
      })();
    }
    signal.addEventListener('abort', () => wake(), { once: true });
    while (!signal.aborted) {
      yield* queue.splice(0);
      if (queue.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  events(query: { environment?: string; after: number; limit: number }): BelayEvent[] {
    return this.#parts.store.events(query);
  }

  subscribe(listener: (event: BelayEvent) => void): () => void {
    return this.#feed.subscribe(listener);
  }
}

const unknownInstance = (key: string, id: string): Fault =>
  new Fault({
    code: 'unknown-instance',
    message: `${key} has no instance ${id}, and had none in the last 15 minutes`,
    subject: id,
    hint: 'see them with: belay status',
  });
