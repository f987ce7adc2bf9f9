import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '../../../src/api/client.ts';
import { packBundle } from '../../../src/bundle/pack.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import { isRunning } from '../../../src/model/deployment.ts';
import type { LedgerReading } from '../../../src/model/ledger.ts';
import type { DaemonView, DeploymentDetail, EnvironmentView } from '../../../src/model/view.ts';
import { APPLICATION, type AppOptions, ENVIRONMENT, type Variant, writeApp } from './app.ts';
import { kill, listening, processesOf } from './processes.ts';
import { until } from './until.ts';

/** A whole Belay of its own: a home, a daemon that can be killed and started, an app to deploy. */

export const REPOSITORY = join(import.meta.dirname, '../../..');
const MAIN = join(REPOSITORY, 'src/main.ts');
const MAX_BUNDLE_BYTES = 10_000_000;

export const where = { application: APPLICATION, environment: ENVIRONMENT };
export const KEY = `${APPLICATION}/${ENVIRONMENT}`;

export class House {
  /** Short, because of the sockets below it. */
  readonly home = mkdtempSync(join(tmpdir(), 'bh-'));
  readonly client: Client = createClient(join(this.home, 'belay.sock'));
  readonly #work = mkdtempSync(join(tmpdir(), 'bw-'));
  readonly #ports = new Set<number>();
  #daemon: ChildProcess | null = null;
  #apps = 0;

  /** A file of the test's own, outside the home. */
  file(name: string): string {
    return join(this.#work, name);
  }

  /** Starts the daemon. With `crashAt`, it ends itself at that boundary. */
  async start(crashAt?: number): Promise<DaemonView> {
    const child = spawn(process.execPath, [MAIN, 'daemon', 'run'], {
      stdio: ['ignore', 'ignore', openSync(this.file('daemon.stderr'), 'a')],
      cwd: this.home,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        BELAY_HOME: this.home,
        BELAY_HTTP: '0',
        BELAY_CONSOLE: '0',
        ...(crashAt === undefined ? {} : { BELAY_CRASH_AT: String(crashAt) }),
      },
    });
    this.#daemon = child;
    const look = () => this.client.call('daemon');
    const view = await until('the daemon answers', look, ({ pid }) => pid === child.pid);
    for (const { port } of view.edge?.listeners ?? []) this.#ports.add(port);
    return view;
  }

  /** `kill -9`. */
  async killDaemon(): Promise<void> {
    this.#daemon?.kill('SIGKILL');
    await this.daemonEnded();
  }

  async daemonEnded(): Promise<void> {
    const child = this.#daemon;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    this.#daemon = null;
  }

  /** The edge's port. */
  async port(): Promise<number> {
    const { edge } = await this.client.call('daemon');
    const port = edge?.listeners[0]?.port;
    if (port === undefined) throw new Error('the edge does not listen');
    return port;
  }

  /** Writes another directory with the app. */
  app(variant: Variant, options?: AppOptions): string {
    this.#apps += 1;
    return writeApp(join(this.#work, `app-${this.#apps}`), variant, options);
  }

  /** Starts a deployment of the directory; returns its number. */
  async deploy(directory: string): Promise<number> {
    const { configuration } = loadConfiguration(directory, ENVIRONMENT);
    const bundle = await packBundle(directory, { maxBytes: MAX_BUNDLE_BYTES });
    const { digest, files, sizeBytes } = bundle.manifest;
    await this.client.call('putBundle', {
      params: { digest },
      query: { files, sizeBytes },
      body: bundle.stream,
    });
    const version = { digest, files, sizeBytes, author: null, commit: null };
    const { deployment } = await this.client.call('deploy', {
      params: where,
      body: { configuration, version },
    });
    if (!deployment) throw new Error('nothing was deployed');
    return deployment.number;
  }

  /** The deployment when it has ended, also over a death of the daemon. */
  async settled(number: number, timeoutMs = 60_000): Promise<DeploymentDetail> {
    const look = () => this.client.call('deployment', { params: { ...where, number } });
    const ended = (detail: DeploymentDetail) => !isRunning(detail);
    const detail = await until(`deployment #${number} ends`, look, ended, timeoutMs);
    await this.environment();
    return detail;
  }

  async deployed(directory: string): Promise<DeploymentDetail> {
    return await this.settled(await this.deploy(directory));
  }

  async environment(): Promise<EnvironmentView> {
    const view = await this.client.call('environment', { params: where });
    for (const { port } of view.instances) if (port !== null) this.#ports.add(port);
    return view;
  }

  /** Waits until there are so many in service, and no other instance. */
  async inService(count: number): Promise<EnvironmentView> {
    const settled = ({ instances }: EnvironmentView) =>
      instances.length === count &&
      instances.every(({ state, health }) => state === 'in-service' && health === 'healthy');
    return await until(`${count} in service and no other`, () => this.environment(), settled);
  }

  async ledger(): Promise<LedgerReading> {
    return await this.client.call('ledger');
  }

  /** What the daemon and the edge have logged, for a test that has failed. */
  logs(): string {
    const { home } = this;
    return [this.file('daemon.stderr'), join(home, 'daemon.log'), join(home, 'edge/edge.log')]
      .map((path) => (existsSync(path) ? `${path}:\n${readFileSync(path, 'utf8')}` : ''))
      .join('\n');
  }

  /**
   * Takes everything down as a user would, and makes sure that nothing is left. After a failure,
   * whatever there is is killed.
   */
  async close(failed: boolean): Promise<void> {
    try {
      if (failed) console.error(this.logs().slice(-20_000));
      else await this.#takeDown();
    } finally {
      for (let left = processesOf(this.home); left.length > 0; left = processesOf(this.home)) {
        for (const { pid } of left) kill(pid);
        await until(
          'killed',
          () =>
            left.filter(
              ({ pid }) =>
                existsSync(`/proc/${pid}`) && processesOf(this.home).some((one) => one.pid === pid),
            ),
          (alive) => alive.length === 0,
        );
      }
      for (const directory of [this.home, this.#work])
        rmSync(directory, { recursive: true, force: true });
    }
  }

  async #takeDown(): Promise<void> {
    if (!this.#daemon) await this.start();
    const { environments } = await this.client.call('environments');
    for (const { application, environment } of environments) {
      await this.client.call('terminate', { params: { application, environment }, body: {} });
    }
    const look = () => this.client.call('environments');
    await until('all is terminated', look, (seen) => seen.environments.length === 0);
    await this.client.call('stopDaemon', { body: { edge: true } });
    await this.daemonEnded();
    const left = await until(
      'nothing runs',
      () => processesOf(this.home),
      (seen) => seen.length === 0,
      5_000,
    ).catch(() => processesOf(this.home));
    const ports = listening(this.#ports);
    if (left.length + ports.length > 0) {
      throw new Error(
        `left behind: processes ${JSON.stringify(left)}, listeners on ${ports.join(', ')}`,
      );
    }
  }
}
