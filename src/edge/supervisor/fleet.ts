import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { randomHex } from '../../kernel/random.ts';
import type { Gone } from '../../model/ledger.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { EdgeEvent, EdgeStatus } from '../driver.ts';
import { type LinePeer, linePeer } from '../line-peer.ts';
import type { HealthEntry, ToSupervisor } from '../link.ts';
import { identityOf } from '../process-identity.ts';
import type { WorkerRecord } from '../worker-record.ts';
import { type Conditions, conditions } from './conditions.ts';
import { planFleet, UPGRADE_DRAIN_MS } from './fleet-plan.ts';
import {
  type FleetWorker,
  fleetWorker,
  type Inside,
  insideAll,
  link,
  moveTo,
  noteReport,
  serves,
  statusOf,
  tell,
  tellPeers,
} from './fleet-worker.ts';
import { LaunchPace } from './launch-pace.ts';
import type { KeptWorker, Ledger } from './ledger.ts';
import { type Patience, patience } from './patience.ts';

/** A worker that has not acknowledged a snapshot by then hangs, and is replaced. */
const ACKNOWLEDGE_TIMEOUT_MS = 2_000;
const REPORT_TIMEOUT_MS = 500;
/** How long earlier workers may take to reconnect before others are started … */
const ADOPTION_GRACE_MS = 500;
/** … and before they are taken for hung. */
const ADOPTION_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 15_000;
/** A worker without a link reconnects within milliseconds, or something is wrong with it. */
const RELINK_TIMEOUT_MS = 2_000;
/** A worker that has been silent for so many ticks is asked to report … */
const NUDGE_TICKS = 2;
/** … and after so many, all of them asked in vain, it hangs and is replaced. */
const HANG_TICKS = 12;
/** On top of the drain time, for the goodbye. */
const RETIRE_GRACE_MS = 2_000;

export interface FleetOptions {
  clock: Clock;
  log: Log;
  ledger: Ledger;
  generation: number;
  /** How many accept, at rest. */
  size(): number;
  launch(name: string): ChildProcess;
  /** What a worker is welcomed with. */
  routing(): { snapshot: Snapshot | null; health: HealthEntry[] };
  /** What an ended worker has written down itself. */
  record(name: string): WorkerRecord | null;
  /** A worker has come or ended: the ledger must not lose it. */
  onAccount(): void;
  onEvent(event: EdgeEvent): void;
  /** What is inside the targets has changed. */
  onInside(): void;
}

/**
 * The worker processes: started, adopted, fed with the newest state, replaced, retired.
 *
 * running   keeps its size
 * stopping  starts none, until none is left
 * gone      another supervisor has them; nothing that happens here matters any more
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #workers = new Map<string, FleetWorker>();
  readonly #happenings: Conditions;
  readonly #patience: Patience;
  readonly #pace: LaunchPace;
  #phase: 'running' | 'stopping' | 'gone' = 'running';
  #adopting = true;
  /** The last `report-now`. */
  #request = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#happenings = conditions(options.clock);
    this.#pace = new LaunchPace(options.clock, options.log);
    this.#patience = patience(options.clock, options.log, (worker) => this.#ended(worker, null));
  }

  /** Takes over the workers of an earlier supervisor, and starts what is missing. */
  start(earlier: KeptWorker[]): void {
    for (const kept of earlier) {
      if (!this.#options.ledger.open(kept.worker, kept)) continue;
      this.#workers.set(kept.worker.name, fleetWorker(kept.worker, 'absent', null));
    }
    for (const worker of this.#all()) {
      // It may end before it has connected, and no reading may leave it out for long then.
      this.#patience.watch(worker);
      if (worker.state === 'absent') {
        this.#patience.killAfter(worker, ADOPTION_TIMEOUT_MS, 'did not connect again');
      }
    }
    this.#options.clock.after(ADOPTION_GRACE_MS, () => {
      this.#adopting = false;
      this.#maintain();
      this.#happenings.notify();
    });
    this.#maintain();
  }

  /** A worker has connected. */
  connect(socket: Socket): void {
    let worker: FleetWorker | null = null;
    const peer = linePeer(socket, {
      onMessage: (received) => {
        if (this.#phase === 'gone') return;
        const message = received as ToSupervisor;
        if (worker) this.#hear(worker, message);
        else if (message.kind === 'hello') worker = this.#greet(peer, message);
        if (!worker) peer.destroy();
      },
      onClose: () => {
        if (worker) this.#unlinked(worker, peer);
      },
    });
  }

  /** Resolves when earlier workers are here, or have had their time. */
  adopted(): Promise<void> {
    return this.#happenings.eventually(() => !this.#adopting || this.#noneAbsent());
  }

  /** Resolves when each earlier worker is here or has ended; one that is neither is ended in time. */
  accountable(): Promise<void> {
    return this.#happenings.eventually(() => this.#noneAbsent());
  }

  /** Whether all workers of this generation come to accept in time. */
  ready(timeoutMs: number): Promise<'met' | 'timed-out'> {
    const { generation, size } = this.#options;
    const serving = () => this.#all().filter((worker) => serves(worker, generation)).length;
    return this.#happenings.until(() => serving() >= size(), timeoutMs);
  }

  pushHealth(health: HealthEntry[]): void {
    if (health.length === 0) return;
    for (const worker of this.#all()) tell(worker, { kind: 'health', health });
  }

  merge({ pools, environments }: Gone): void {
    const gone = { pools: [...pools], environments: [...environments] };
    for (const worker of this.#all()) tell(worker, { kind: 'merge', ...gone });
  }

  pushSnapshot(snapshot: Snapshot): void {
    for (const worker of this.#all()) tell(worker, { kind: 'snapshot', snapshot });
    this.#maintain();
  }

  /** Resolves when every worker routes by that snapshot; those that would not are gone then. */
  async acknowledged(number: number): Promise<void> {
    // A worker that is only starting and has no link yet will be welcomed with it.
    const asked = this.#all().filter((worker) => worker.peer || worker.state !== 'starting');
    const lagging = () => asked.filter((each) => each.state !== 'ended' && each.snapshot < number);
    const routed = () => lagging().length === 0;
    if ((await this.#happenings.until(routed, ACKNOWLEDGE_TIMEOUT_MS)) === 'met') return;
    for (const worker of lagging()) {
      this.#patience.kill(worker, `has not acknowledged snapshot ${number}`);
    }
    await this.#happenings.eventually(routed);
  }

  /** Resolves when every worker has reported, or has had its time. @param traffic by target too */
  async reported({ traffic } = { traffic: false }): Promise<void> {
    this.#request += 1;
    const request = this.#request;
    const asked = this.#all().filter((worker) => worker.state !== 'starting');
    for (const worker of asked) tell(worker, { kind: 'report-now', request, traffic });
    const answered = () =>
      asked.every((each) => each.state === 'ended' || each.answered >= request);
    await this.#happenings.until(answered, REPORT_TIMEOUT_MS);
  }

  /**
   * Once a second. Silence is counted in ticks and not in time, so that a supervisor that was
   * itself suspended does not take its workers for hung.
   */
  tick(): void {
    for (const worker of this.#all()) {
      if (!worker.peer) continue;
      worker.silentTicks += 1;
      if (worker.silentTicks === HANG_TICKS) this.#patience.kill(worker, 'hangs');
      else if (worker.silentTicks >= NUDGE_TICKS) {
        this.#request += 1;
        tell(worker, { kind: 'report-now', request: this.#request });
      }
    }
    // Again and again, because a launch may have failed, and nothing else would tell.
    this.#maintain();
  }

  /** What is inside each target over all workers, by `keyOf` pool and target. */
  inside(): Map<string, Inside> {
    return insideAll(this.#workers.values());
  }

  statuses(): EdgeStatus['workers'] {
    return this.#all().map(statusOf);
  }

  /** Retires all and starts none; resolves when none is left. */
  async stop(drainMs: number): Promise<void> {
    this.#phase = 'stopping';
    for (const worker of this.#all()) this.#retire(worker, drainMs);
    await this.#happenings.eventually(() => this.#workers.size === 0);
  }

  /** Leaves the workers to another supervisor. */
  letGo(): void {
    this.#phase = 'gone';
    for (const worker of this.#all()) {
      this.#patience.forget(worker);
      worker.peer?.destroy();
    }
  }

  #all(): FleetWorker[] {
    return [...this.#workers.values()];
  }

  #noneAbsent = (): boolean => this.#all().every((worker) => worker.state !== 'absent');

  #maintain(): void {
    if (this.#phase !== 'running') return;
    const { generation, size } = this.#options;
    const workers = this.#all().map(({ identity, state }) => ({ ...identity, state }));
    const adopting = this.#adopting;
    for (const step of planFleet({ generation, size: size(), adopting, workers })) {
      if (step.kind === 'launch') this.#launchMissing(step.count);
      else {
        const { drainMs, early } = step;
        const worker = this.#workers.get(step.worker);
        if (worker && worker.drainMs !== drainMs) this.#retire(worker, drainMs, early);
      }
    }
    tellPeers(this.#workers.values());
  }

  #launchMissing(count: number): void {
    const allowed = this.#pace.allow(count, () => this.#maintain());
    for (let i = 0; i < allowed; i += 1) this.#launchOne();
  }

  #launchOne(): void {
    const { log, ledger, generation, launch, onAccount } = this.#options;
    const name = randomHex(16);
    const child = launch(name);
    child.on('error', (error) => log.error({ error: error.message }, 'cannot start a worker'));
    if (child.pid === undefined) {
      this.#pace.died(false);
      return;
    }
    const identity = { name, process: identityOf(child.pid), generation };
    const worker = fleetWorker(identity, 'starting', child);
    this.#workers.set(name, worker);
    ledger.open(identity);
    child.on('exit', (_code, signal) => this.#ended(worker, signal));
    this.#patience.killAfter(worker, START_TIMEOUT_MS, 'did not get ready in time');
    onAccount();
  }

  #retire(worker: FleetWorker, drainMs: number, early = false): void {
    if (worker.state !== 'retiring') moveTo(worker, 'retiring');
    worker.drainMs = drainMs;
    tell(worker, { kind: 'retire', drainMs, early });
    this.#patience.killAfter(worker, drainMs + RETIRE_GRACE_MS, 'did not retire in time');
    this.#happenings.notify();
  }

  #ended(worker: FleetWorker, signal: string | null): void {
    if (worker.state === 'ended' || this.#phase === 'gone') return;
    const { log, onAccount, onEvent, onInside } = this.#options;
    this.#pace.died(worker.state !== 'starting');
    moveTo(worker, 'ended');
    this.#workers.delete(worker.identity.name);
    this.#patience.forget(worker);
    worker.peer?.destroy();
    const { pid } = worker.identity.process;
    const unaccounted = this.#fold(worker);
    onAccount();
    log.info({ worker: pid, signal, orderly: worker.saidBye, unaccounted }, 'a worker ended');
    if (!worker.saidBye) onEvent({ kind: 'worker-died', pid, signal, unaccounted });
    if (worker.inside.size > 0) onInside();
    this.#maintain();
    this.#happenings.notify();
  }

  /** What it wrote counts too: it may have said it to nobody. Returns what is unaccounted. */
  #fold(worker: FleetWorker): number {
    const { ledger, record } = this.#options;
    const { name } = worker.identity;
    const kept = record(name);
    ledger.ceiling(name, kept?.ceiling ?? 0);
    if (kept?.last) ledger.report(name, kept.last);
    worker.saidBye ||= kept?.last != null;
    return ledger.fold(name, worker.saidBye);
  }

  #greet(peer: LinePeer, hello: Extract<ToSupervisor, { kind: 'hello' }>): FleetWorker | null {
    const { ledger, onAccount, onInside } = this.#options;
    const worker = this.#workers.get(hello.worker) ?? this.#admitStranger(hello);
    if (!worker) return null;
    link(worker, peer);
    worker.snapshot = hello.snapshot;
    this.#patience.unwatch(worker);
    if (worker.state === 'accepting') this.#patience.forgive(worker);
    ledger.ceiling(hello.worker, hello.ceiling);
    ledger.report(hello.worker, hello.report);
    noteReport(worker, hello.report);
    this.#welcome(worker, hello.accepting);
    onAccount();
    onInside();
    this.#maintain();
    this.#happenings.notify();
    return worker;
  }

  /** A worker that an earlier supervisor started and did not write down; not one that has ended. */
  #admitStranger(hello: Extract<ToSupervisor, { kind: 'hello' }>): FleetWorker | null {
    const process = identityOf(hello.pid);
    const identity = { name: hello.worker, process, generation: hello.generation };
    if (!this.#options.ledger.open(identity)) return null;
    const worker = fleetWorker(identity, 'absent', null);
    this.#workers.set(hello.worker, worker);
    return worker;
  }

  #welcome(worker: FleetWorker, accepts: boolean): void {
    if (worker.state === 'absent') {
      this.#patience.forgive(worker);
      // One that does not accept was told to retire, or to start by a supervisor that is gone.
      moveTo(worker, accepts ? 'accepting' : 'retiring');
    }
    const accept = worker.state !== 'retiring';
    tell(worker, { kind: 'welcome', accept, ...this.#options.routing() });
    if (!accept) this.#retire(worker, this.#phase === 'stopping' ? 0 : UPGRADE_DRAIN_MS);
  }

  #hear(worker: FleetWorker, message: ToSupervisor): void {
    const { ledger, onEvent, onInside } = this.#options;
    const { name } = worker.identity;
    worker.silentTicks = 0;
    switch (message.kind) {
      case 'ping':
        tell(worker, { kind: 'pong' });
        return;
      case 'ready':
        this.#onReady(worker);
        break;
      case 'ack':
        worker.snapshot = Math.max(worker.snapshot, message.number);
        break;
      case 'ceiling':
        ledger.ceiling(name, message.accepted);
        break;
      case 'cache-disk':
        onEvent({ ...message, pid: worker.identity.process.pid });
        return;
      case 'bye':
      case 'report':
        worker.saidBye ||= message.kind === 'bye';
        ledger.report(name, message.report);
        noteReport(worker, message.report);
        onInside();
        break;
    }
    this.#happenings.notify();
  }

  #onReady(worker: FleetWorker): void {
    if (worker.state !== 'starting') return;
    this.#patience.forgive(worker);
    this.#pace.gotReady();
    moveTo(worker, 'accepting');
    this.#maintain();
  }

  #unlinked(worker: FleetWorker, peer: LinePeer): void {
    if (worker.peer !== peer || worker.state === 'ended' || this.#phase === 'gone') return;
    worker.peer = null;
    if (worker.state !== 'starting') {
      const cause = worker.saidBye ? 'did not exit' : 'did not connect again';
      this.#patience.killAfter(worker, RELINK_TIMEOUT_MS, cause);
    }
    this.#patience.watch(worker);
  }
}
