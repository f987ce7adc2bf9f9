import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Client, createClient } from '../../../src/api/client.ts';
import { packBundle } from '../../../src/bundle/pack.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import { isRunning } from '../../../src/model/deployment.ts';
import type { LedgerReading } from '../../../src/model/ledger.ts';
import type { DaemonView, DeploymentDetail, EnvironmentView } from '../../../src/model/view.ts';
import { APPLICATION, type AppOptions, ENVIRONMENT, type Variant, writeApp } from './app.ts';
import { kill, listening, processesOf } from './processes.ts';
import { until } from './until.ts';

export const REPOSITORY = join(import.meta.dirname, '../../..');
const MAIN = join(REPOSITORY, 'src/main.ts');
const MAX_BUNDLE_BYTES = 10_000_000;
/** Of logs, after a failure: the last so many characters. */
const LOG_SHOWN = 20_000;
const START_TIMEOUT_MS = 20_000;
/** The edge's processes end a moment after the daemon. */
const LEAVING_MS = 5_000;

export const where = { application: APPLICATION, environment: ENVIRONMENT };

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A whole Belay of its own: a home, a daemon that can be killed and started, an app to deploy. */
export class House {
  /** Short, because of the sockets below it. */
  readonly home = mkdtempSync(join(tmpdir(), 'bh-'));
  readonly client: Client = createClient(join(this.home, 'belay.sock'));
  /** Every port that was seen in use. */
  readonly edgePorts = new Set<number>();
  readonly instancePorts = new Set<number>();
  readonly #work = mkdtempSync(join(tmpdir(), 'bw-'));
  #daemon: ChildProcess | null = null;
  #apps = 0;

  /** A file of the test's own, outside the home. */
  file(name: string): string {
    return join(this.#work, name);
  }

  /** Starts the daemon. With `crashAt`, it ends itself at that boundary. */
  async start(crashAt?: number): Promise<DaemonView> {
    const drill = crashAt === undefined ? {} : { BELAY_CRASH_AT: String(crashAt) };
    const child = spawn(process.execPath, [MAIN, 'daemon', 'run'], {
      stdio: ['ignore', 'ignore', openSync(this.file('daemon.stderr'), 'a')],
      cwd: this.home,
      env: { ...this.environmentVariables(), ...drill },
    });
    this.#daemon = child;
    const look = () => this.client.call('daemon');
    const isOurs = ({ pid }: DaemonView) => pid === child.pid;
    const view = await until('the daemon answers', look, isOurs, START_TIMEOUT_MS, () =>
      this.#daemonDied(),
    );
    for (const { port } of view.edge?.listeners ?? []) this.edgePorts.add(port);
    return view;
  }

  /** `kill -9`. */
  async killDaemon(): Promise<void> {
    this.#daemon?.kill('SIGKILL');
    await this.daemonEnded();
  }

  /** The daemon that was started last is alive. */
  get runs(): boolean {
    const daemon = this.#daemon;
    return daemon !== null && daemon.exitCode === null && daemon.signalCode === null;
  }

  async daemonEnded(): Promise<void> {
    if (this.#daemon && this.runs) await once(this.#daemon, 'exit');
    this.#daemon = null;
  }

  /** What a user of this home has in the environment; nothing of the test's own. */
  environmentVariables(): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    return { PATH, HOME, BELAY_HOME: this.home, BELAY_HTTP: '0', BELAY_CONSOLE: '0' };
  }

  /** Runs the command line as a user of this home would. */
  async belay(args: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    const child = spawn(join(REPOSITORY, 'bin/belay'), args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.#work,
      env: { ...this.environmentVariables(), ...variables },
    });
    const [stdout, stderr, [code]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, 'close'),
    ]);
    return { code: code as number | null, stdout, stderr };
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
  async deploy(directory: string, manner: { force?: boolean } = {}): Promise<number> {
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
      body: { configuration, version, ...manner },
    });
    if (!deployment) throw new Error('nothing was deployed');
    return deployment.number;
  }

  /** The deployment when it has ended. */
  async settled(number: number, timeoutMs = 60_000): Promise<DeploymentDetail> {
    const look = async () => {
      await this.environment();
      return await this.client.call('deployment', { params: { ...where, number } });
    };
    const ended = (detail: DeploymentDetail) => !isRunning(detail);
    return await until(`deployment #${number} ends`, look, ended, timeoutMs, () =>
      this.#daemonDied(),
    );
  }

  async deployed(directory: string): Promise<DeploymentDetail> {
    return await this.settled(await this.deploy(directory));
  }

  async environment(): Promise<EnvironmentView> {
    const view = await this.client.call('environment', { params: where });
    for (const { port } of view.instances) if (port !== null) this.instancePorts.add(port);
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

  /** Ids of the instances that have a process, by what the processes' environment says. */
  instanceProcesses(): string[] {
    const ids = processesOf(this.home).flatMap(({ instance }) => instance ?? []);
    return [...new Set(ids)].sort();
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
      if (failed) console.error(this.logs().slice(-LOG_SHOWN));
      else await this.#takeDown();
    } finally {
      const killAll = () => {
        const left = processesOf(this.home);
        for (const { pid } of left) kill(pid);
        return left;
      };
      await until('all are killed', killAll, (left) => left.length === 0);
      for (const directory of [this.home, this.#work]) {
        rmSync(directory, { recursive: true, force: true });
      }
    }
  }

  async #takeDown(): Promise<void> {
    const answers = await this.client.call('daemon').catch(() => null);
    if (!answers) await this.start();
    const { environments } = await this.client.call('environments');
    for (const { application, environment } of environments) {
      const params = { application, environment };
      await this.client.call('terminate', { params, body: {} });
    }
    const look = () => this.client.call('environments');
    await until('all is terminated', look, (seen) => seen.environments.length === 0);
    await this.client.call('stopDaemon', { body: { edge: true } });
    await this.daemonEnded();
    await this.expectNothingLeft();
  }

  /** @throws when a process of this home, or a listener on one of its ports, is still there */
  async expectNothingLeft(): Promise<void> {
    const left = () => processesOf(this.home);
    await until('no process is left', left, (processes) => processes.length === 0, LEAVING_MS);
    const ports = listening([...this.edgePorts, ...this.instancePorts], this.home);
    if (ports.length > 0) throw new Error(`somebody still listens on ${ports.join(', ')}`);
  }

  #daemonDied(): string | null {
    return this.#daemon !== null && !this.runs ? 'the daemon has ended' : null;
  }
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const piece of stream.setEncoding('utf8')) text += piece;
  return text;
}
