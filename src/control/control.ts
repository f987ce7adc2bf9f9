import { isDeepStrictEqual } from 'node:util';
import type { BundleStore, ImageStore } from '../bundle/driver.ts';
import type { EdgeDriver, EdgeEvent, Prober } from '../edge/driver.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import type { Machine } from '../kernel/machine.ts';
import { randomHex } from '../kernel/random.ts';
import type { DiskFloor } from '../model/disk-floor.ts';
import type { EdgeSettings } from '../model/edge-settings.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import type { BelayEvent } from '../model/event.ts';
import type { DaemonView, EdgeSettingsView, SwapView } from '../model/view.ts';
import { planEnvironment } from '../plan/environment.ts';
import type { Runtime, Slot } from '../runtime/driver.ts';
import type { Store } from '../store/driver.ts';
import { BundleCare } from './bundle-care.ts';
import { CacheOperations } from './cache-operations.ts';
import { ClockJumps } from './clock-jumps.ts';
import { edgeNews } from './edge-news.ts';
import { EdgeView } from './edge-view.ts';
import { EnvironmentOperations } from './environment-operations.ts';
import { EventFeed } from './event-feed.ts';
import { Forecasts } from './forecasts.ts';
import { Housekeeping } from './housekeeping.ts';
import { InstanceLogs } from './instance-logs.ts';
import { JudgedTraffic } from './judged-traffic.ts';
import { ReconcileLoop } from './loop.ts';
import { MetricsHistory } from './metrics/metrics-history.ts';
import { observeEnvironment, type Slots } from './observe.ts';
import { Operations } from './operations.ts';
import { type Boundary, Performer } from './performer.ts';
import { Queries } from './queries.ts';
import { Records } from './records.ts';
import { Router } from './router.ts';
import { SavedConfigurations } from './saved-configurations.ts';
import { Scaler } from './scaler/scaler.ts';
import { ShareProbes } from './share-probes.ts';
import { Signing } from './signing.ts';
import { Sleeper } from './sleeper.ts';
import { type SwapParts, swapNames } from './swap.ts';
import { TargetNews } from './target-news.ts';
import { Traffic } from './traffic.ts';

/**
 * The control plane: observe → plan → perform → record, for every environment, until it agrees with
 * what is desired. The only writer of desired state. Its end, however sudden, harms nobody: the
 * edge and the instances go on, and the next life carries on from the journal.
 */

/** A plan that still wants steps after so many rounds is looked at again later. */
const MAX_ROUNDS = 50;
const TRAFFIC_SAMPLE_MS = 5_000;
const HOUR_MS = 3_600_000;
/** Ended instances and the steps of healing stay on record this long. */
const HISTORY_KEPT_MS = 30 * 24 * HOUR_MS;

export interface ControlParts {
  store: Store;
  runtime: Runtime;
  edge: EdgeDriver;
  bundles: BundleStore;
  images: ImageStore;
  clock: Clock;
  log: Log;
  /** Belay's own version. */
  version: string;
  home: string;
  boundary?: Boundary;
  /** Differs after every start of the machine; empty, or left out, where nobody can say. */
  bootId?: string;
  /** Left out: shares of traffic are judged without probes. */
  prober?: Prober;
  /** Left out: the default. */
  diskFloor?: DiskFloor | null;
  /** Null, or left out, where nobody can say. */
  freeMemoryBytes?: () => number | null;
  machine?: () => Machine | null;
}

export class Control {
  /** What people ask for. */
  readonly operations: Operations;
  /** What would come of what people ask for. */
  readonly forecasts: Forecasts;
  /** What people want to know. */
  readonly queries: Queries;
  /** What makes environments. */
  readonly environments: EnvironmentOperations;
  readonly savedConfigurations: SavedConfigurations;
  readonly logs: InstanceLogs;
  /** What the edge keeps of answers. */
  readonly cache: CacheOperations;
  readonly signing: Signing;
  /** The bundles that versions are made of. */
  readonly care: BundleCare;
  readonly housekeeping: Housekeeping;
  /** What instances have done. */
  readonly metrics: MetricsHistory;
  readonly #parts: ControlParts;
  readonly #records: Records;
  readonly #feed: EventFeed;
  readonly #view = new EdgeView();
  readonly #news = new TargetNews();
  readonly #traffic = new Traffic();
  readonly #judged: JudgedTraffic;
  readonly #probes: ShareProbes;
  readonly #router: Router;
  readonly #publishing: SwapParts;
  readonly #jumps: ClockJumps;
  readonly #performer: Performer;
  readonly #scaler: Scaler;
  readonly #sleeper: Sleeper;
  readonly #loop: ReconcileLoop;
  #chores: Timer[] = [];
  #unwatchRuntime: (() => void) | null = null;

  constructor(parts: ControlParts) {
    const { store, runtime, edge, bundles, images, clock, log } = parts;
    this.#parts = parts;
    this.#records = new Records(store, clock);
    this.#feed = new EventFeed(store, clock);
    const wake = (key: string) => this.#loop.wake(key);
    const shared = { records: this.#records, store, edge, log };
    const slots = () => this.#slots();
    this.#judged = new JudgedTraffic(parts);
    this.#probes = new ShareProbes({ prober: parts.prober ?? null, clock });
    this.#jumps = new ClockJumps({
      ...shared,
      clock,
      bootId: parts.bootId ?? '',
      moved: (byMs) => {
        this.#view.move(byMs);
        this.#scaler.move(byMs);
      },
    });
    this.metrics = new MetricsHistory({
      ...shared,
      feed: this.#feed,
      clock,
      slots,
      settleClock: () => this.#jumps.settle(),
    });
    this.#router = new Router({ ...shared, view: this.#view, slots });
    const boundary = parts.boundary ?? (() => {});
    const acting = { ...shared, runtime, bundles, images, feed: this.#feed, clock, wake };
    const publish = () => this.#router.refresh();
    this.#publishing = { ...acting, boundary, view: this.#view, publish };
    this.cache = new CacheOperations(this.#publishing);
    this.signing = new Signing(this.#publishing);
    this.#performer = new Performer({ ...acting, boundary });
    this.housekeeping = new Housekeeping(acting);
    const { housekeeping } = this;
    this.care = new BundleCare({ ...acting, housekeeping, diskFloor: parts.diskFloor ?? null });
    const asking = {
      ...acting,
      care: this.care,
      slots,
      traffic: this.#traffic,
      freeMemoryBytes: parts.freeMemoryBytes ?? (() => null),
      machine: parts.machine ?? (() => null),
    };
    this.#scaler = new Scaler({
      ...acting,
      view: this.#view,
      metrics: this.metrics,
      settleClock: () => this.#jumps.settle(),
    });
    this.#sleeper = new Sleeper({
      ...acting,
      view: this.#view,
      scaler: this.#scaler,
    });
    this.operations = new Operations(asking);
    this.forecasts = new Forecasts(asking);
    this.environments = new EnvironmentOperations(acting);
    this.savedConfigurations = new SavedConfigurations(acting);
    this.queries = new Queries({
      ...acting,
      ...parts,
      slots,
      view: this.#view,
      traffic: this.#traffic,
      scaler: this.#scaler,
      machine: asking.machine,
      sampleTraffic: () => this.#sampleTraffic(),
      startedAt: clock.now(),
    });
    this.logs = new InstanceLogs(acting);
    this.#loop = new ReconcileLoop((key) => this.#reconcile(key), clock, log);
  }

  /** Adopts what runs, closes what an earlier life left open, and begins to reconcile. */
  async start(): Promise<void> {
    const { store, runtime, edge, clock, log } = this.#parts;
    this.#jumps.begin();
    const interrupted = store.interruptOpenSteps(clock.now());
    if (interrupted > 0) log.warn({ interrupted }, 'an earlier life ended amid these steps');
    await runtime.start();
    this.#view.replace(await edge.start());
    this.#news.changes(this.#view.targets());
    this.#view.watch(edge, (event) => this.#onEdgeEvent(event));
    this.#unwatchRuntime = runtime.watch(() => this.#wakeAll());
    await this.#removeStrays();
    this.#chores = [
      clock.every(TRAFFIC_SAMPLE_MS, () => void this.#sampleTraffic()),
      clock.every(HOUR_MS, () => store.forgetBefore(clock.now() - HISTORY_KEPT_MS)),
    ];
    await this.#sampleTraffic();
    this.metrics.start();
    this.#scaler.start();
    this.housekeeping.start();
    this.#wakeAll();
  }

  /** Lets go of everything; what runs goes on running. */
  async close(): Promise<void> {
    for (const chore of this.#chores) chore.cancel();
    this.#unwatchRuntime?.();
    this.#view.close();
    await this.metrics.close();
    await this.#loop.close();
    this.#probes.close();
    await this.housekeeping.close();
    this.#scaler.close();
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
      if (await this.operations.startNext(key)) continue;
      const sleepAt = await this.#sleeper.review(key);
      const environment = this.#records.find(key);
      if (!environment || environment.status === 'terminated') {
        await this.#router.refresh();
        this.#loop.forget(key);
        return null;
      }
      const slots = await this.#slots();
      const deployment = this.#records.runningDeployment(key);
      const instances = this.#records.instances(key);
      const traffic = await this.#judged.read(key, deployment, instances);
      this.#jumps.settle();
      const observation = observeEnvironment(
        environment,
        this.#records,
        slots,
        this.#view,
        this.#parts.images,
        [...traffic, ...this.#probes.readings(key)],
      );
      const now = this.#parts.clock.now();
      this.#probes.follow(observation, slots, now);
      const plan = planEnvironment(observation, now, () => `i-${randomHex(8)}`);
      const steps = plan.steps.filter((step) => !this.#performer.isUnderWay(step));
      if (steps.length === 0) {
        const changed = await this.#router.refresh();
        if (changed) continue;
        return earliest(plan.wakeAt, sleepAt);
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

  /** What instances and hooks that are on record as gone have left: a crash came between the two. */
  async #removeStrays(): Promise<void> {
    const live = new Set(this.#records.environments().flatMap(({ key }) => this.#liveIds(key)));
    const strays = (await this.#parts.runtime.list()).filter(({ id }) => !live.has(id));
    await Promise.all(strays.map(({ id }) => this.#parts.runtime.remove(id, 0)));
    await this.#parts.images.clean(live);
  }

  #liveIds(key: EnvironmentKey): string[] {
    const hooks = this.#records.runningDeployment(key)?.hooks ?? [];
    const running = hooks.filter(({ state }) => state === 'running');
    return [...this.#records.instances(key), ...running].map(({ id }) => id);
  }

  #wakeAll(): void {
    for (const { key, status } of this.#records.environments()) {
      if (status !== 'terminated') this.#loop.wake(key);
    }
  }

  #tellNews(): void {
    for (const event of this.#news.changes(this.#view.targets())) this.#feed.publish(event);
  }

  #onEdgeEvent(event: EdgeEvent): void {
    const news = edgeNews(event);
    if (news !== null) this.#feed.publish(news);
    switch (event.kind) {
      case 'targets':
        this.#tellNews();
        for (const pool of new Set(event.targets.map((target) => target.pool))) {
          this.#loop.wake(pool.slice(0, pool.lastIndexOf('#')));
        }
        return;
      case 'wanted':
        for (const key of event.environments) this.#loop.wake(key);
        return;
      case 'connected':
        this.#router.forget();
        this.#tellNews();
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

  async upgradeEdge(): Promise<DaemonView> {
    this.#view.replace(await this.#parts.edge.upgrade());
    this.#router.forget();
    this.#wakeAll();
    return await this.queries.daemon();
  }

  /**
   * Resolves when every worker goes by them. An edge that cannot be reached follows when it is back.
   *
   * @throws what the edge throws
   */
  async setEdgeSettings(settings: EdgeSettings): Promise<EdgeSettingsView> {
    const before = this.#records.edgeSettings;
    const keys = Object.keys(settings) as (keyof EdgeSettings)[];
    const changed = keys.filter((key) => !isDeepStrictEqual(settings[key], before[key]));
    if (changed.length > 0) {
      this.#records.saveEdgeSettings(settings);
      const message = `the edge’s settings were changed: ${changed.join(', ')}`;
      this.#feed.publish({ severity: 'info', type: 'edge-settings-changed', message });
    }
    await this.#router.refresh();
    return this.queries.edgeSettings();
  }

  /** Exchanges the host names of two environments; resolves when every worker goes by it. */
  swap(application: string, names: readonly [string, string], force: boolean): Promise<SwapView> {
    return swapNames(application, names, force, this.#publishing);
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

  subscribe(listener: (event: BelayEvent) => void): () => void {
    return this.#feed.subscribe(listener);
  }
}

/** Of two moments, either of which may be unknown. */
const earliest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);
