import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { TargetTraffic } from '../model/target.ts';
import { type ControlConnection, connectControl, unreachable } from './control-connection.ts';
import type { ControlMethod, ControlMethods } from './control-protocol.ts';
import type { EdgeDriver, EdgeEvent, EdgeStatus } from './driver.ts';
import { type EdgeHome, edgeHome } from './home.ts';
import { compileCode, launchSupervisor } from './launch.ts';
import { openListeners } from './listeners.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';
import { readState } from './state-file.ts';
import { type SupervisorWatch, watchSupervisor } from './supervisor-watch.ts';

/**
 * The control plane's driver of the edge: adopts the one that runs in this home or starts one, and
 * keeps looking for it whenever the connection breaks.
 */

const RETRY_INTERVAL_MS = 50;
/** Workers start a new supervisor well within it; if none answers by then, all of them are gone. */
const REVIVAL_PATIENCE_MS = 1_000;
const START_TIMEOUT_MS = 20_000;
/**
 * A request that meets a broken connection asks again for so long: time to find that a supervisor
 * hangs, and to start another.
 */
const REQUEST_PATIENCE_MS = 25_000;
/** Longer than anything takes that the supervisor itself has a deadline for. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Longer than it takes to find that a supervisor hangs: a new connection would begin that anew. */
const GREETING_TIMEOUT_MS = 12_000;
const EXIT_PATIENCE_MS = 5_000;
const EXIT_POLL_MS = 10;

export interface EdgeClientOptions {
  /** `$BELAY_HOME`. */
  home: string;
  /** The first must exist on this machine; the others may be missing. */
  hosts: readonly string[];
  /** 0 for any. */
  port: number;
  /** When the port is busy, take one of the next. */
  fallback: boolean;
  clock: Clock;
  log: Log;
  /** The edge's entry; another one only in tests. */
  program?: string;
}

/** The entry beside this file, which is `.ts` in a clone and `.js` in the package. */
const PROGRAM = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url),
);

export function createEdgeClient(options: EdgeClientOptions): EdgeDriver {
  return new EdgeClient(options);
}

class EdgeClient implements EdgeDriver {
  readonly #options: EdgeClientOptions;
  readonly #home: EdgeHome;
  readonly #listeners = new Set<(event: EdgeEvent) => void>();
  #connection: ControlConnection | null = null;
  /** The search for the edge that is under way. */
  #search: Promise<void> | null = null;
  /** Where it listened last: it must come back there. */
  #port: number | null = null;
  #phase: 'new' | 'running' | 'stopping' | 'closed' = 'new';

  constructor(options: EdgeClientOptions) {
    this.#options = options;
    this.#home = edgeHome(options.home);
  }

  async start(): Promise<EdgeStatus> {
    mkdirSync(this.#home.directory, { recursive: true });
    chmodSync(this.#home.directory, 0o700);
    this.#phase = 'running';
    try {
      if (!(await this.#findRunning())) await this.#launch();
      return await this.#request('ready', null);
    } catch (thrown) {
      this.#phase = 'closed';
      this.#connection?.close();
      throw thrown;
    }
  }

  async publish(snapshot: Snapshot): Promise<void> {
    let again = false;
    await this.#request('publish', () => {
      const params = { snapshot, again };
      again = true;
      return params;
    });
  }

  status(): Promise<EdgeStatus> {
    return this.#request('status', null);
  }

  ledger() {
    return this.#request('ledger', null);
  }

  traffic(): Promise<TargetTraffic[]> {
    return this.#request('traffic', null);
  }

  quietMs(): Promise<Record<EnvironmentKey, number>> {
    return this.#request('quietMs', null);
  }

  async upgrade(): Promise<EdgeStatus> {
    const { generation, pid } = await this.status();
    const connection = this.#connection;
    if (!connection) throw unreachable();
    await connection.request('upgrade', null).catch((thrown: unknown) => {
      // The old supervisor may be gone before its answer; the generation tells how it went.
      if (!isUnreachable(thrown)) throw thrown;
    });
    // The old supervisor ends this conversation; what is asked now is for the next one.
    if (this.#connection === connection) connection.close();
    await this.#reconnected(connection);
    const status = await this.#readyBut(pid);
    if (status.generation > generation) return status;
    throw new Fault({
      code: 'upgrade-failed',
      message: 'the edge ended while it was being upgraded and came back as it was',
      subject: this.#home.log,
      hint: `read ${this.#home.log}, then try again`,
      retryable: true,
    });
  }

  watch(listener: (event: EdgeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(drainMs: number): Promise<void> {
    const owner = readState<ProcessIdentity>(this.#home.supervisor);
    this.#phase = 'stopping';
    await this.#request('stop', { drainMs }, drainMs + ANSWER_TIMEOUT_MS);
    this.#phase = 'closed';
    this.#connection?.close();
    const deadline = this.#options.clock.monotonic() + EXIT_PATIENCE_MS;
    while (owner && isAlive(owner) && this.#options.clock.monotonic() < deadline) {
      await this.#options.clock.sleep(EXIT_POLL_MS);
    }
  }

  async close(): Promise<void> {
    this.#phase = 'closed';
    this.#connection?.close();
    this.#connection = null;
    await this.#search?.catch(() => undefined);
  }

  /** Asks until a supervisor answers: every request may be asked twice. */
  async #request<Method extends ControlMethod>(
    method: Method,
    params: ControlMethods[Method]['params'] | (() => ControlMethods[Method]['params']),
    answerMs = ANSWER_TIMEOUT_MS,
  ): Promise<ControlMethods[Method]['result']> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + REQUEST_PATIENCE_MS;
    for (;;) {
      const connection = this.#connection;
      if (connection) {
        try {
          const asked = typeof params === 'function' ? params() : params;
          return await this.#inTime(connection.request(method, asked), answerMs);
        } catch (thrown) {
          if (!isUnreachable(thrown)) throw thrown;
        }
      }
      if (this.#phase === 'closed' || this.#phase === 'new') throw unreachable();
      if (clock.monotonic() > deadline) throw unreachable();
      await clock.sleep(RETRY_INTERVAL_MS / 5);
    }
  }

  /** A supervisor that hangs keeps its connections open. */
  async #inTime<Result>(answer: Promise<Result>, timeoutMs: number): Promise<Result> {
    const settled = new AbortController();
    const timeout = this.#options.clock.sleep(timeoutMs, settled.signal).then((outcome) => {
      if (outcome === 'elapsed') throw hanging(timeoutMs);
      return answer;
    });
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      settled.abort();
      timeout.catch(() => undefined);
    }
  }

  /** An older supervisor answers for a while after it has promised to hand over. */
  async #readyBut(pid: number): Promise<EdgeStatus> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + REQUEST_PATIENCE_MS;
    for (;;) {
      const status = await this.#request('ready', null);
      if (status.pid !== pid || clock.monotonic() > deadline) return status;
      await clock.sleep(RETRY_INTERVAL_MS);
    }
  }

  async #reconnected(before: ControlConnection): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + REQUEST_PATIENCE_MS;
    while (this.#connection === before && clock.monotonic() < deadline) {
      await clock.sleep(RETRY_INTERVAL_MS / 5);
    }
  }

  /** Whether an edge runs here, or comes back soon because its workers still live. */
  async #findRunning(): Promise<boolean> {
    const { clock } = this.#options;
    let patienceEnds = clock.monotonic() + REVIVAL_PATIENCE_MS;
    do {
      const outcome = await this.#connect();
      if (outcome === 'connected') return true;
      // An edge that ended in an orderly way has left no record.
      if (readState(this.#home.supervisor) === null) return false;
      if (outcome === 'lost') patienceEnds = clock.monotonic() + REVIVAL_PATIENCE_MS;
      await clock.sleep(RETRY_INTERVAL_MS);
    } while (clock.monotonic() < patienceEnds);
    return false;
  }

  /** `lost`: somebody was there, and went without an answer. */
  async #connect(): Promise<'connected' | 'nobody' | 'lost'> {
    const { clock, log } = this.#options;
    let connection: ControlConnection | null = null;
    let watch: SupervisorWatch | null = null;
    let isOpen = true;
    try {
      connection = await connectControl(this.#home.controlSocket, {
        onHeard: () => watch?.heard(),
        onEvent: (event) => this.#emit(event),
        onClose: () => {
          isOpen = false;
          watch?.close();
          this.#onClose(connection);
        },
      });
      const ask = () => void connection?.request('alive', null).catch(() => undefined);
      watch = watchSupervisor(this.#home.supervisor, clock, log, ask);
      const status = await this.#inTime(connection.request('status', null), GREETING_TIMEOUT_MS);
      // Nobody would tell of the end of one that is over by the time it counts as ours.
      if (!isOpen) return 'lost';
      this.#connection = connection;
      this.#port = status.listeners[0]?.port ?? null;
      this.#emit({ kind: 'connected', status });
      return 'connected';
    } catch {
      connection?.close();
      return connection ? 'lost' : 'nobody';
    }
  }

  #onClose(connection: ControlConnection | null): void {
    if (this.#connection !== connection || connection === null) return;
    this.#connection = null;
    if (this.#phase === 'closed') return;
    // First of all: whatever a listener does, the edge is looked for.
    this.#search ??= this.#searchForever().finally(() => {
      this.#search = null;
    });
    this.#emit({ kind: 'disconnected' });
  }

  async #searchForever(): Promise<void> {
    const { clock, log } = this.#options;
    let patienceEnds = clock.monotonic() + REVIVAL_PATIENCE_MS;
    for (;;) {
      if (this.#phase === 'closed') return;
      const outcome = await this.#connect();
      if (outcome === 'connected') return;
      if (outcome === 'lost') patienceEnds = clock.monotonic() + REVIVAL_PATIENCE_MS;
      // An edge that was told to stop and is gone has done as it was told.
      if (this.#phase === 'running' && clock.monotonic() > patienceEnds) {
        await this.#launch().catch((thrown: unknown) => {
          log.warn({ error: messageOf(thrown) }, 'the edge is gone and does not start');
        });
        if (this.#connection) return;
        patienceEnds = clock.monotonic() + REVIVAL_PATIENCE_MS;
      }
      await clock.sleep(RETRY_INTERVAL_MS);
    }
  }

  /** Opens the port, starts a supervisor with it and connects. */
  async #launch(): Promise<void> {
    const { hosts, port, fallback, home, clock, program = PROGRAM } = this.#options;
    const back = this.#port;
    if (program === PROGRAM) await compileCode(program, home);
    const opened = await openListeners(hosts, back ?? port, back === null && fallback);
    const logDescriptor = openSync(this.#home.log, 'a', 0o600);
    const supervisor = launchSupervisor(
      program,
      { home, listeners: opened.listeners, takeOver: false },
      opened.descriptors,
      logDescriptor,
    );
    opened.close();
    closeSync(logDescriptor);
    let ended = false;
    supervisor.on('error', () => {
      ended = true;
    });
    supervisor.on('exit', () => {
      ended = true;
    });
    const deadline = clock.monotonic() + START_TIMEOUT_MS;
    while ((await this.#connect()) !== 'connected') {
      if (ended || clock.monotonic() > deadline) {
        // It may hang, and would keep the home from the next.
        supervisor.kill('SIGKILL');
        throw this.#notStarted();
      }
      await clock.sleep(RETRY_INTERVAL_MS / 5);
    }
  }

  #notStarted(): Fault {
    return new Fault({
      code: 'edge-not-started',
      message: 'the edge did not start',
      subject: this.#home.log,
      hint: `read ${this.#home.log}`,
    });
  }

  #emit(event: EdgeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function hanging(timeoutMs: number): Fault {
  return new Fault({
    code: 'edge-hangs',
    message: `the edge has not answered within ${timeoutMs / 1_000} s`,
    hint: 'end its supervisor with SIGKILL; its workers serve on and start another',
    retryable: true,
  });
}

function isUnreachable(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.code === 'edge-unreachable';
}
