import type { BundleFile, BundleStore, ImageStore } from '../bundle/driver.ts';
import type { EdgeDriver, EdgeStatus } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Machine } from '../kernel/machine.ts';
import { type Environment, environmentKey } from '../model/environment.ts';
import type { BelayEvent } from '../model/event.ts';
import type { LedgerReading } from '../model/ledger.ts';
import type { Release } from '../model/release.ts';
import type { ScalingView } from '../model/scaling-view.ts';
import type { Version } from '../model/version.ts';
import type {
  DaemonView,
  DeploymentDetail,
  DeploymentView,
  EdgeSettingsView,
  EnvironmentView,
  ReleaseView,
  TerminatedView,
  TrafficReading,
} from '../model/view.ts';
import type { Runtime } from '../runtime/driver.ts';
import type { Store } from '../store/driver.ts';
import { bundleGone } from './bundle-care.ts';
import type { EdgeView } from './edge-view.ts';
import { observeEnvironment, type Slots } from './observe.ts';
import type { Records } from './records.ts';
import { directoryOf } from './release-slot.ts';
import type { Scaler } from './scaler/scaler.ts';
import { scalingGlance, scalingView } from './scaler/scaling-views.ts';
import { terminatedView } from './terminated.ts';
import type { Traffic } from './traffic.ts';
import { requireVersion } from './unknown-version.ts';
import { deploymentView, environmentView } from './views.ts';

/** What people want to know. Nothing here changes anything. */

export interface QueryParts {
  records: Records;
  store: Store;
  edge: EdgeDriver;
  runtime: Runtime;
  bundles: BundleStore;
  images: ImageStore;
  clock: Clock;
  view: EdgeView;
  traffic: Traffic;
  scaler: Scaler;
  slots: () => Promise<Slots>;
  machine: () => Machine | null;
  sampleTraffic: () => Promise<void>;
  /** Belay's own version. */
  version: string;
  home: string;
  startedAt: number;
}

export class Queries {
  readonly #parts: QueryParts;

  constructor(parts: QueryParts) {
    this.#parts = parts;
  }

  async daemon(): Promise<DaemonView> {
    const { version, home, runtime } = this.#parts;
    return {
      pid: process.pid,
      version,
      home,
      startedAt: this.#parts.startedAt,
      edge: shownEdge(await this.#edgeStatus()),
      runtime: runtime.capabilities.name,
    };
  }

  async #edgeStatus(): Promise<EdgeStatus | null> {
    try {
      return await this.#parts.edge.status();
    } catch {
      return null;
    }
  }

  edgeSettings(): EdgeSettingsView {
    return {
      settings: this.#parts.records.edgeSettings,
      snapshot: this.#parts.view.acknowledged,
    };
  }

  async ledger(): Promise<LedgerReading> {
    return await this.#parts.edge.ledger();
  }

  /**
   * All that has passed until now.
   *
   * @throws `edge-unreachable`
   */
  async allTraffic(): Promise<TrafficReading> {
    const { edge, records, traffic } = this.#parts;
    const [ledger, passed, status] = await Promise.all([
      edge.ledger(),
      edge.traffic(),
      edge.status(),
    ]);
    traffic.keep(ledger);
    const inside = new Map(status.targets.map((each) => [`${each.pool} ${each.id}`, each]));
    return {
      at: ledger.at,
      environments: await this.#views(running(records.environments()), status),
      ledger,
      targets: passed.map((target) => {
        const { inFlight = 0, tunnels = 0 } = inside.get(`${target.pool} ${target.id}`) ?? {};
        return { ...target, inFlight, tunnels };
      }),
      edge: shownEdge(status),
    };
  }

  async environments(application?: string): Promise<EnvironmentView[]> {
    const chosen = running(this.#parts.records.environments()).filter(
      (each) => application === undefined || each.application === application,
    );
    await this.#parts.sampleTraffic();
    return await this.#views(chosen, await this.#edgeStatus());
  }

  async environment(application: string, name: string): Promise<EnvironmentView> {
    const environment = this.#parts.records.environment(environmentKey(application, name));
    await this.#parts.sampleTraffic();
    const [view] = await this.#views([environment], await this.#edgeStatus());
    if (view) return view;
    this.#parts.records.environment(environment.key);
    throw new Error(`no view of ${environment.key}`);
  }

  /** Environments that ended and are on record, the last to end first. */
  terminated(application?: string): TerminatedView[] {
    const { records } = this.#parts;
    return records
      .environments()
      .filter(({ status }) => status === 'terminated')
      .filter((each) => application === undefined || each.application === application)
      .map((environment) => terminatedView(environment, records))
      .sort((a, b) => (b.terminatedAt ?? 0) - (a.terminatedAt ?? 0));
  }

  /** Without those that were terminated while the rest was read. */
  async #views(
    chosen: readonly Environment[],
    edge: EdgeStatus | null,
  ): Promise<EnvironmentView[]> {
    const { records, traffic, view, images } = this.#parts;
    const slots = await this.#parts.slots();
    const context = {
      port: edge?.listeners[0]?.port ?? null,
      targets: edge?.targets ?? [],
      machine: this.#parts.machine(),
      now: this.#parts.clock.now(),
    };
    return chosen.flatMap(({ key }) => {
      const environment = records.find(key);
      if (!environment || environment.status === 'terminated') return [];
      const observation = observeEnvironment(environment, records, slots, view, images);
      return environmentView(observation, records, slots, {
        ...context,
        traffic: traffic.of(key),
        scaling: scalingGlance(environment, this.#parts),
      });
    });
  }

  /** How capacity follows the load, with so many of the last decisions. */
  scaling(application: string, name: string, limit: number): ScalingView {
    const environment = this.#parts.records.environment(environmentKey(application, name));
    return scalingView(environment, limit, this.#parts);
  }

  deployments(application: string, name: string, limit: number): DeploymentView[] {
    const { key } = this.#parts.records.environment(environmentKey(application, name));
    return this.#parts.records
      .deployments(key, limit)
      .map((each) => deploymentView(each, this.#parts.records));
  }

  deployment(application: string, name: string, number: number): DeploymentDetail {
    const key = environmentKey(application, name);
    const deployment = this.#parts.records
      .deployments(key, 10_000)
      .find((each) => each.number === number);
    if (!deployment) {
      throw new Fault({
        code: 'unknown-deployment',
        message: `${key} has no deployment ${number}`,
        subject: key,
      });
    }
    const steps = this.#parts.store.steps(key, number);
    return { ...deploymentView(deployment, this.#parts.records), steps };
  }

  releases(application: string, name: string): ReleaseView[] {
    const environment = this.#parts.records.environment(environmentKey(application, name));
    return this.#parts.records.releases(environment.key).map((release) => ({
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
    const environment = this.#parts.records.environment(environmentKey(application, name));
    const release = this.#parts.records.release(environment.key, number);
    if (!release) {
      throw new Fault({
        code: 'unknown-release',
        message: `${environment.key} has no release ${number}`,
        subject: environment.key,
        hint: 'see them with: belay versions',
      });
    }
    const directory =
      release.version === null ? null : directoryOf(environment, release, this.#parts);
    return { ...release, directory };
  }

  variables(
    application: string,
    name: string,
  ): { name: string; value: string; source: 'configuration' | 'environment' }[] {
    const environment = this.#parts.records.environment(environmentKey(application, name));
    const release =
      environment.release === null
        ? undefined
        : this.#parts.records.release(environment.key, environment.release);
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
    const environments = this.#parts.records
      .environments()
      .filter((each) => each.application === application && each.status !== 'terminated');
    return this.#parts.records.versions(application).map((version) => ({
      ...version,
      runningIn: environments
        .filter(
          ({ key, release }) =>
            release !== null &&
            this.#parts.records.release(key, release)?.version === version.label,
        )
        .map(({ name }) => name),
    }));
  }

  async versionFiles(application: string, label: string): Promise<BundleFile[]> {
    const { records, bundles } = this.#parts;
    const version = requireVersion(application, label, records);
    if ((await bundles.inspect(version.digest)).state === 'gone') throw bundleGone(version);
    return await bundles.files(version.digest);
  }

  events(query: { environment?: string; after: number; limit: number }): BelayEvent[] {
    return this.#parts.store.events(query);
  }
}

const running = (environments: readonly Environment[]): Environment[] =>
  environments.filter(({ status }) => status !== 'terminated');

/** Targets are told with the instances they are. */
function shownEdge<Status extends EdgeStatus | null>(
  status: Status,
): Status extends null ? null : NonNullable<DaemonView['edge']>;
function shownEdge(status: EdgeStatus | null): DaemonView['edge'] {
  if (status === null) return null;
  const { targets, waiting, ...shown } = status;
  return shown;
}
