import type { Server } from 'node:net';
import { type Clock, systemClock, type Timer } from '../../kernel/clock.ts';
import { Fault } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import { DEFAULT_EDGE_SETTINGS } from '../../model/edge-settings.ts';
import type { EnvironmentKey } from '../../model/environment.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { TargetStatus, TargetTraffic } from '../../model/target.ts';
import { unreachable } from '../control-connection.ts';
import type { EdgeStatus } from '../driver.ts';
import { type EdgeHome, edgeHome } from '../home.ts';
import { inheritedListeners, launchWorker, type SupervisorArguments } from '../launch.ts';
import type { HealthEntry } from '../link.ts';
import { Absences } from './absences.ts';
import { rotateAccessLog } from './access-log-rotation.ts';
import { type Checks, healthChecks, keyOf } from './checks.ts';
import { type ControlServer, controlServer } from './control-server.ts';
import { httpDeepProbe } from './deep-check.ts';
import { Fleet } from './fleet.ts';
import { NOTHING_INSIDE } from './fleet-worker.ts';
import { KeptState } from './kept-state.ts';
import { type Ledger, ledger } from './ledger.ts';
import type { Ownership } from './ownership.ts';
import { httpProbe } from './probe.ts';
import { parseSnapshot, staleSnapshot } from './received-snapshot.ts';
import { listenOn } from './sockets.ts';
import { launchSuccessor, type Successor } from './successor.ts';

/**
 * The edge's supervisor: keeps the listeners' descriptors without accepting, runs the workers and
 * the health checks, keeps the snapshot and the ledger, and answers the control plane. Traffic does
 * not need it: workers serve on while it is gone and start another.
 */

/** How often living workers' counts go to disk, and everything is looked after. */
const TICK_PERIOD_MS = 1_000;
/** Changes of health that come together are told together. */
const ANNOUNCE_DELAY_MS = 5;
/** How often it is looked for what the account need not tell apart any more. */
const MERGE_PERIOD_MS = 60_000;
const SIGTERM_DRAIN_MS = 10_000;
/** Longer than a worker may take to start, so that one that hangs has been replaced once. */
const READY_TIMEOUT_MS = 20_000;
/** For last answers to leave. */
const EXIT_DELAY_MS = 50;

export interface SupervisorOptions {
  args: SupervisorArguments;
  program: string;
  ownership: Ownership;
  log: Log;
  /** Ends the process. */
  exit(): void;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #clock: Clock = systemClock;
  readonly #home: EdgeHome;
  readonly #kept: KeptState;
  readonly #log: Log;
  readonly #generation: number;
  readonly #ledger: Ledger;
  readonly #absences: Absences;
  readonly #checks: Checks;
  readonly #fleet: Fleet;
  readonly #control: ControlServer;
  #servers: Server[] = [];
  #timers: Timer[] = [];
  #snapshot: Snapshot | null = null;
  /** Publishing happens in order: each waits for the one before. */
  #publishing: Promise<unknown> = Promise.resolve();
  #announcement: Timer | null = null;
  #busyDraining = new Set<string>();
  /** Targets that are left out, and why, as last told. */
  #leftOut = '';
  /** Environments that are asleep while requests wait for them, as last told. */
  #wanted = '';
  #phase: 'running' | 'ending' = 'running';
  #successor: Successor | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#home = edgeHome(options.args.home);
    this.#log = options.log;
    this.#kept = new KeptState(this.#home, this.#log);
    this.#generation = this.#kept.generation();
    this.#ledger = ledger(this.#kept.ledger());
    this.#absences = new Absences(this.#clock);
    this.#checks = healthChecks({
      clock: this.#clock,
      probe: httpProbe(this.#clock),
      deepProbe: httpDeepProbe(this.#clock),
      onChange: (entry) => this.#onHealth([entry]),
      onDeepChange: () => this.#announceTargets(),
    });
    this.#fleet = new Fleet({
      clock: this.#clock,
      log: this.#log,
      ledger: this.#ledger,
      generation: this.#generation,
      size: () => (this.#snapshot?.settings ?? DEFAULT_EDGE_SETTINGS).workers,
      launch: (name) => {
        const { args } = options;
        const { home, listeners } = args;
        const workerArgs = { home, listeners, name, generation: this.#generation };
        return launchWorker(options.program, workerArgs, inheritedListeners(args));
      },
      routing: () => ({ snapshot: this.#snapshot, health: this.#checks.entries() }),
      record: (name) => this.#kept.workerRecord(name),
      onAccount: () => this.#kept.keepLedger(this.#ledger),
      onEvent: (event) => this.#control.broadcast(event),
      onInside: () => {
        this.#noticeWanted();
        this.#noticeInside();
      },
    });
    this.#control = controlServer(
      {
        ready: () => this.#ready(),
        status: () => this.#adoptedStatus(),
        alive: async () => null,
        publish: ({ snapshot, again }) => this.#publish(snapshot, again),
        ledger: () => this.#readLedger(),
        traffic: () => this.#readTraffic(),
        quietMs: () => this.#readQuiet(),
        upgrade: () => this.#upgrade(),
        'hand-over': () => this.#handOver(),
        stop: ({ drainMs }) => this.#stop(drainMs),
      },
      this.#log,
    );
  }

  async start(): Promise<void> {
    this.#writeRecord(this.#generation);
    this.#snapshot = this.#kept.snapshot();
    this.#checks.restore(this.#kept.health());
    if (this.#snapshot) this.#checks.update(this.#snapshot);
    const earlier = this.#kept.workers();
    this.#servers.push(
      await listenOn(this.#home.workersSocket, (socket) => this.#fleet.connect(socket)),
    );
    this.#fleet.start(earlier);
    this.#servers.push(
      await listenOn(this.#home.controlSocket, (socket) => this.#control.connect(socket)),
    );
    this.#timers = [
      this.#clock.every(TICK_PERIOD_MS, () => this.#tick()),
      this.#clock.every(MERGE_PERIOD_MS, () => this.#mergeGone()),
    ];
    this.#log.info({ generation: this.#generation, earlier: earlier.length }, 'supervisor started');
  }

  /** SIGTERM: as `stop`, with a drain time of its own. */
  async terminate(): Promise<void> {
    await this.#stop(SIGTERM_DRAIN_MS);
  }

  async #ready(): Promise<EdgeStatus> {
    await this.#fleet.adopted();
    if ((await this.#fleet.ready(READY_TIMEOUT_MS)) === 'met') return this.#status();
    throw new Fault({
      code: 'edge-not-ready',
      message: `the edge's workers did not start within ${READY_TIMEOUT_MS / 1_000} s`,
      subject: this.#home.log,
      hint: `read ${this.#home.log}`,
      retryable: true,
    });
  }

  /** Until earlier workers are back, targets would look empty that are not. */
  async #adoptedStatus(): Promise<EdgeStatus> {
    await this.#fleet.adopted();
    return this.#status();
  }

  #status(): EdgeStatus {
    const workers = this.#fleet.statuses();
    const waiting = this.#ledger.waiting();
    const acknowledged = workers
      .filter((worker) => worker.accepting)
      .map((worker) => worker.snapshot);
    return {
      pid: process.pid,
      generation: this.#generation,
      listeners: this.#options.args.listeners,
      workers,
      snapshot: Math.min(this.#snapshot?.number ?? 0, ...acknowledged),
      targets: this.#targets(),
      ...(waiting && { waiting }),
      wanted: this.#ledger.wanted(),
    };
  }

  #targets(): TargetStatus[] {
    const inside = this.#fleet.inside();
    return this.#checks.statuses().map((target) => ({
      ...target,
      ...(inside.get(keyOf(target.pool, target.id)) ?? NOTHING_INSIDE),
    }));
  }

  #publish(received: unknown, again: boolean): Promise<null> {
    const published = this.#publishing.then(() => this.#publishNext(received, again));
    this.#publishing = published.catch(() => undefined);
    return published;
  }

  async #publishNext(received: unknown, again: boolean): Promise<null> {
    await this.#fleet.adopted();
    // Asked of a supervisor that is on its way out, it is for the next one.
    if (this.#phase === 'ending') throw unreachable();
    const snapshot = parseSnapshot(received);
    const current = this.#snapshot?.number ?? 0;
    if (!(again && snapshot.number === current)) {
      if (snapshot.number <= current) throw staleSnapshot(snapshot.number, current);
      await this.#kept.keepSnapshot(snapshot);
      this.#snapshot = snapshot;
      // Health goes first, so that no worker sees a target without knowing its health.
      this.#onHealth(this.#checks.update(snapshot));
      this.#ledger.keepTargets(this.#checks.statuses());
      this.#fleet.pushSnapshot(snapshot);
    }
    await this.#fleet.acknowledged(snapshot.number);
    // Whoever waits for a target to drain must not act on counts from before it was unrouted: the
    // event is on its way before the answer.
    await this.#fleet.reported();
    this.#tellTargets();
    return null;
  }

  /** Resolves when no snapshot is on its way to the disk, where the next supervisor reads it. */
  async #published(): Promise<void> {
    let awaited: Promise<unknown>;
    do {
      awaited = this.#publishing;
      await awaited;
    } while (awaited !== this.#publishing);
  }

  async #readLedger() {
    await this.#fleet.accountable();
    await this.#fleet.reported();
    // What has been told must not be taken back by a supervisor that goes on from the disk.
    this.#kept.keepLedger(this.#ledger);
    return this.#ledger.read(this.#clock.now());
  }

  async #readTraffic(): Promise<TargetTraffic[]> {
    await this.#fleet.accountable();
    await this.#fleet.reported({ traffic: true });
    return this.#ledger.traffic(this.#checks.statuses());
  }

  async #readQuiet(): Promise<Record<EnvironmentKey, number>> {
    await this.#fleet.accountable();
    this.#ledger.forgetQuiet();
    await this.#fleet.reported();
    return this.#ledger.quietMs();
  }

  #onHealth(entries: HealthEntry[]): void {
    // On disk before anybody acts on it: a new supervisor must not take an admitted target back.
    this.#kept.keepHealth(this.#checks.kept());
    this.#fleet.pushHealth(entries);
    this.#announceTargets();
  }

  /** Somebody waits until what is asleep has been woken. */
  #noticeWanted(): void {
    const environments = this.#ledger.wanted();
    if (environments.join() === this.#wanted) return;
    this.#wanted = environments.join();
    this.#control.broadcast({ kind: 'wanted', environments });
  }

  /** A draining target that has just become empty is what a deployment waits for. */
  #noticeInside(): void {
    const busy = new Set<string>();
    const leftOut: string[] = [];
    for (const { pool, id, health, inFlight, tunnels, ejection } of this.#targets()) {
      const key = keyOf(pool, id);
      if (health === 'draining' && inFlight + tunnels > 0) busy.add(key);
      if (ejection !== null) leftOut.push(`${key} ${ejection}`);
    }
    const emptied = [...this.#busyDraining].some((key) => !busy.has(key));
    if (emptied || leftOut.join() !== this.#leftOut) this.#announceTargets();
    this.#busyDraining = busy;
    this.#leftOut = leftOut.join();
  }

  #announceTargets(): void {
    this.#announcement ??= this.#clock.after(ANNOUNCE_DELAY_MS, () => this.#tellTargets());
  }

  #tellTargets(): void {
    this.#announcement?.cancel();
    this.#announcement = null;
    this.#control.broadcast({ kind: 'targets', targets: this.#targets() });
  }

  /** Starts the code that is on disk now, which takes over when it is up. */
  async #upgrade(): Promise<null> {
    if (this.#successor) {
      throw new Fault({
        code: 'upgrade-running',
        message: 'the edge is being upgraded already',
        retryable: true,
      });
    }
    const { args, program } = this.#options;
    this.#successor = launchSuccessor(program, args, this.#clock);
    if ((await this.#successor.outcome) === 'took-over') return null;
    this.#successor = null;
    throw new Fault({
      code: 'upgrade-failed',
      message: 'the new edge did not start; the old one goes on',
      subject: this.#home.log,
      hint: `read ${this.#home.log}`,
    });
  }

  async #handOver(): Promise<null> {
    // What is published from here on is for the next one, which must not wait for the last of it.
    this.#phase = 'ending';
    await this.#published();
    if (this.#successor?.take() === 'late') {
      this.#phase = 'running';
      throw unreachable();
    }
    // Together with the answer to `upgrade`: whoever connects again must not find this one.
    try {
      this.#end();
      this.#fleet.letGo();
      this.#writeRecord(this.#generation + 1);
    } finally {
      // Whatever could not be written: one that answers nobody must not keep the home.
      this.#options.ownership.release();
      this.#leave();
    }
    return null;
  }

  async #stop(drainMs: number): Promise<null> {
    this.#log.info({ drainMs }, 'stopping');
    await this.#fleet.stop(drainMs);
    this.#end();
    this.#kept.forgetLiving();
    this.#leave();
    return null;
  }

  /** The home is gone or somebody else's: nobody can ever stop this edge but itself. */
  async #abandon(cause: string): Promise<void> {
    this.#log.error({ cause }, 'ending');
    await this.#fleet.stop(0);
    this.#end();
    this.#leave();
  }

  #end(): void {
    this.#phase = 'ending';
    this.#kept.keepLedger(this.#ledger);
    for (const timer of this.#timers) timer.cancel();
    this.#announcement?.cancel();
    this.#checks.close();
    for (const server of this.#servers) server.close();
  }

  /** After the answer that is on its way. */
  #leave(): void {
    this.#clock.after(0, () => this.#control.end());
    this.#clock.after(EXIT_DELAY_MS, () => this.#options.exit());
  }

  #tick(): void {
    this.#fleet.tick();
    rotateAccessLog(this.#home.accessLog, this.#log);
    const problem = this.#kept.ownershipProblem();
    if (problem === null) this.#kept.keepLedger(this.#ledger);
    else if (this.#phase === 'running') {
      this.#phase = 'ending';
      void this.#abandon(problem);
    }
  }

  #mergeGone(): void {
    const { rows } = this.#ledger.read(this.#clock.now());
    const gone = this.#absences.gone(rows, this.#snapshot);
    if (gone.pools.size + gone.environments.size === 0) return;
    this.#ledger.merge(gone);
    this.#fleet.merge(gone);
  }

  #writeRecord(generation: number): void {
    const { listeners } = this.#options.args;
    this.#kept.keepRecord({ generation, startedAt: this.#clock.now(), listeners });
  }
}
