import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BundleStore } from '../../src/bundle/driver.ts';
import { Control, type ControlParts } from '../../src/control/control.ts';
import type { Manner } from '../../src/control/operations.ts';
import type { Prober } from '../../src/edge/driver.ts';
import { createMemoryEdge, type MemoryEdge } from '../../src/edge/memory.ts';
import { type ManualClock, manualClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import type { Machine } from '../../src/kernel/machine.ts';
import type { Configuration } from '../../src/model/configuration.ts';
import { DEFAULT_GROUP } from '../../src/model/group.ts';
import { type HookName, hookNames } from '../../src/model/hook.ts';
import { NO_SCALING } from '../../src/model/scaling.ts';
import type { DeploymentRequest } from '../../src/model/ticket.ts';
import { DEFAULT_TRAFFIC } from '../../src/model/traffic.ts';
import type { Outcome } from '../../src/model/view.ts';
import { ALWAYS } from '../../src/model/window.ts';
import type { SlotSpec } from '../../src/runtime/driver.ts';
import {
  type Behaviour,
  createMemoryRuntime,
  type MemoryRuntime,
} from '../../src/runtime/memory.ts';
import type { Store } from '../../src/store/driver.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { memoryImages } from './memory-images.ts';

export const configuration: Configuration = {
  web: {
    start: ['node', 'server.js'],
    bootstrap: null,
    upstream: null,
    health: {
      path: '/',
      matcher: { from: 200, to: 399 },
      intervalMs: 5_000,
      timeoutMs: 2_000,
      healthyThreshold: 2,
      unhealthyThreshold: 2,
      body: null,
      deepPath: null,
    },
    capacity: { min: 2, desired: 3, max: 6 },
    zones: ['a', 'b'],
    size: null,
    limits: { memoryBytes: null, cpu: null },
    concurrency: null,
    group: DEFAULT_GROUP,
    scaling: NO_SCALING,
    variables: {},
    stopGraceMs: 10_000,
    drainMs: 30_000,
  },
  domains: ['shop.localhost'],
  traffic: DEFAULT_TRAFFIC,
  windows: ALWAYS,
  rollout: {
    policy: 'rolling',
    batch: 1,
    extra: 1,
    healthyMs: 200,
    startTimeoutMs: 5_000,
    keepMs: 0,
    percent: 10,
    bakeMs: 60_000,
    minRequests: 100,
    probes: [],
    patienceMs: 600_000,
  },
  hooks: { build: null, migrate: null, postdeploy: null },
};

const hookPasses = { afterMs: 100, code: 0 };

export const deployRequest = (
  digest: string,
  change: Partial<Configuration> = {},
): Extract<DeploymentRequest, { kind: 'deploy' }> => ({
  kind: 'deploy',
  configuration: { ...configuration, ...change },
  version: { digest, files: 1, sizeBytes: 1, author: null, commit: null },
  unchanged: 'deploy',
});

/** Every bundle is there; nothing is read from it. */
export const everyBundle: BundleStore = {
  has: async () => true,
  inspect: async () => ({ state: 'whole' }),
  receive: async () => {},
  directory: (digest) => `/versions/${digest}`,
  files: async () => [],
  list: async () => [],
  measureImages: async () => {},
  remove: async () => {},
  room: async () => ({ freeBytes: 1e12, totalBytes: 1e12 }),
};

class Crash extends Error {}

/**
 * The real control plane and store on a runtime and an edge that are data. It can die at any
 * boundary between two writes and live again; runtime and edge outlive it, as processes would.
 */
export class SimulatedControl {
  readonly clock: ManualClock = manualClock();
  readonly runtime: MemoryRuntime;
  readonly edge: MemoryEdge;
  readonly home = mkdtempSync(join(tmpdir(), 'belay-control-'));
  control!: Control;
  store!: Store;
  crashed = false;
  /** Changes when the machine starts again. */
  bootId = 'boot-1';
  /** By the version's digest: how its instances behave. */
  readonly behaviours = new Map<string, Partial<Behaviour>>();
  /** By the version's digest: what its health checks say. */
  readonly healths = new Map<string, 'initial' | 'healthy' | 'unhealthy'>();

  /** What answers probes; null: nothing is asked. */
  prober: Prober | null = null;
  /** Null: nobody can say what there is. */
  machine: Machine | null = null;
  /** How hooks end; by itself each passes after a moment. */
  readonly hookEnds = new Map<HookName, NonNullable<Behaviour['exits']>>();
  /** Golden images outlive the daemon too. */
  readonly images = memoryImages();

  constructor() {
    const digestOf = (spec: Pick<SlotSpec, 'directory'>) =>
      spec.directory.slice('/versions/'.length).replace(/\.built-.*/, '');
    const digests = new Map<string, string>();
    this.runtime = createMemoryRuntime({
      clock: this.clock,
      behaviour: (spec) => {
        const hook = hookNames.find((name) => spec.id.startsWith(`${name}-`));
        if (hook) return { bootMs: null, exits: this.hookEnds.get(hook) ?? hookPasses };
        digests.set(spec.id, digestOf(spec));
        return { bootMs: 300, ...this.behaviours.get(digestOf(spec)) };
      },
    });
    this.edge = createMemoryEdge({
      now: () => this.clock.now(),
      health: (_, target) => this.healths.get(digests.get(target) ?? '') ?? 'healthy',
    });
  }

  /** Begins a life that ends at boundary number `crashAt`, if it comes to that. */
  async start(crashAt = Number.POSITIVE_INFINITY): Promise<void> {
    this.crashed = false;
    const store = openSqliteStore(join(this.home, 'belay.db'));
    this.store = store;
    let passed = 0;
    const boundary = () => {
      passed += 1;
      if (passed < crashAt) return;
      // What still runs of a life that has ended writes nothing and does nothing.
      if (passed === crashAt) store.close();
      if (this.store === store) this.crashed = true;
      throw new Crash();
    };
    this.control = new Control({
      store,
      ...this.#outliving(),
      bundles: everyBundle,
      images: this.images,
      clock: this.clock,
      log: silentLog,
      version: 'test',
      bootId: this.bootId,
      home: this.home,
      ...(this.prober === null ? {} : { prober: this.prober }),
      machine: () => this.machine,
      boundary,
    });
    await this.control.start();
  }

  /** Ends a life that has died: what it waited for wakes nobody any more. */
  async bury(): Promise<void> {
    await this.control.close().catch(() => {
      // Its store is closed already.
    });
  }

  /** Runtime and edge as one life has them: closing them only lets go. */
  #outliving(): Pick<ControlParts, 'runtime' | 'edge'> {
    const { runtime, edge } = this;
    const close = async () => {};
    return {
      runtime: { ...runtime, close },
      edge: { ...edge, close },
    };
  }

  async deploy(digest: string, change: Partial<Configuration> = {}): Promise<void> {
    await this.ask(deployRequest(digest, change));
  }

  /** As the API would: refused where it cannot start now, unless the manner says otherwise. */
  async ask(request: DeploymentRequest, manner: Partial<Manner> = {}): Promise<Outcome> {
    const where = { application: 'shop', environment: 'production' };
    const plain: Manner = { by: null, message: null, force: false, otherwise: 'refuse' };
    return await this.control.operations.ask(where, request, { ...plain, ...manner });
  }

  /** Lets time pass until the condition holds. */
  async until(
    what: string,
    holds: () => boolean | Promise<boolean>,
    atMostMs = 120_000,
  ): Promise<void> {
    for (let passedMs = 0; passedMs <= atMostMs; passedMs += 20) {
      if (await holds()) return;
      await this.clock.advance(20);
    }
    throw new Error(`not within ${atMostMs} ms: ${what}`);
  }

  deployment() {
    return this.store.deployments('shop/production', 1)[0];
  }

  async settled(): Promise<NonNullable<ReturnType<SimulatedControl['deployment']>>> {
    const ended = () => {
      const state = this.deployment()?.state;
      return state !== 'running' && state !== 'rolling-back';
    };
    await this.until('the deployment is settled', ended);
    const deployment = this.deployment();
    if (!deployment) throw new Error('there is no deployment');
    return deployment;
  }

  async status() {
    return await this.control.queries.environment('shop', 'production');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.crashed) await this.control.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}
