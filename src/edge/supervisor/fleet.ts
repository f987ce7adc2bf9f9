import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { randomHex } from '../../kernel/random.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { EdgeStatus } from '../driver.ts';
import { type LinePeer, linePeer } from '../line-peer.ts';
import type { HealthEntry, ToSupervisor } from '../link.ts';
import { identityOf, isAlive, killProcess } from '../process-identity.ts';
import { conditions } from './conditions.ts';
import {
  type FleetWorker,
  fleetWorker,
  type Inside,
  moveTo,
  noteReport,
  tell,
} from './fleet-worker.ts';
import type { KeptWorker, Ledger } from './ledger.ts';

/** The worker processes: started, adopted, fed with the newest state, replaced, retired. */

/** A worker that has not acknowledged a snapshot by then hangs, and is replaced. */
const ACKNOWLEDGE_TIMEOUT_MS = 2_000;
const REPORT_TIMEOUT_MS = 500;
/** How long workers left by an earlier supervisor may take to reconnect before others are started … */
const ADOPTION_GRACE_MS = 500;
/** … and before they are taken for hung. */
const ADOPTION_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 15_000;
/** A worker without a link reconnects within milliseconds, or something is wrong with it. */
const RELINK_TIMEOUT_MS = 2_000;
const DEATH_POLL_MS = 20;
/** Old generations may keep upgraded connections so long … */
const UPGRADE_DRAIN_MS = 60 * 60_000;
/** … but no more than so many generations live at once. */
const MAX_GENERATIONS = 4;
/** On top of the drain time, for the goodbye. */
const RETIRE_GRACE_MS = 2_000;
/** Between starts of workers that die before they are ready; the first replacement is at once. */
const FIRST_BACK_OFF_MS = 100;
const MAX_BACK_OFF_MS = 5_000;

export interface FleetOptions {
  clock: Clock;
  log: Log;
  ledger: Ledger;
  generation: number;
  /** How many accept, at rest. */
  size: number;
  launch(name: string): ChildProcess;
  /** What a worker is welcomed with. */
  routing(): { snapshot: Snapshot | null; health: HealthEntry[] };
  /** A worker has come or ended: the ledger must not lose it. */
  onAccount(): void;
  /** A worker is about to accept more than it had said. */
  onCeiling(): void;
  onDeath(death: { pid: number; signal: string | null; unaccounted: number }): void;
  /** What is inside the targets has changed. */
  onInside(): void;
}

export interface Fleet {
  /** Takes over the workers of an earlier supervisor, and starts what is missing. */
  start(earlier: KeptWorker[]): void;
  /** A worker has connected. */
  connect(socket: Socket): void;
  /** Earlier workers are here, or have had their time. */
  adopted(): Promise<void>;
  /** All workers of this generation accept. */
  ready(): Promise<void>;
  pushHealth(entries: HealthEntry[]): void;
  pushSnapshot(snapshot: Snapshot): void;
  /** Every worker routes by that snapshot; those that would not are gone. */
  acknowledged(number: number): Promise<void>;
  /** Every worker has reported, or has had its time. */
  reported(): Promise<void>;
  /** Over all workers, by `keyOf` pool and target. */
  inside(): Map<string, Inside>;
  statuses(): EdgeStatus['workers'];
  /** Retires all, starts none; resolves when none is left. */
  stop(drainMs: number): Promise<void>;
  /** Leaves the workers to another supervisor. */
  letGo(): void;
}

export function workerFleet(options: FleetOptions): Fleet {
  const { clock, log, ledger, generation, size } = options;
  const workers = new Map<string, FleetWorker>();
  const happenings = conditions(clock);
  let phase: 'running' | 'stopping' | 'gone' = 'running';
  let graceOver = false;
  let requests = 0;
  let earlyDeaths = 0;
  let backingOff = false;

  const all = (): FleetWorker[] => [...workers.values()];
  const isCurrent = (worker: FleetWorker): boolean => worker.identity.generation === generation;
  const acceptingNow = (): FleetWorker[] =>
    all().filter((worker) => isCurrent(worker) && worker.state === 'accepting');
  const isAdopted = (): boolean => graceOver || all().every((worker) => worker.state !== 'absent');

  const killAfter = (worker: FleetWorker, delayMs: number, cause: string): void => {
    worker.deadline?.cancel();
    worker.deadline = clock.after(delayMs, () => kill(worker, cause));
  };

  const kill = (worker: FleetWorker, cause: string): void => {
    log.warn({ worker: worker.identity.process.pid, cause }, 'killing a worker');
    killProcess(worker.identity.process);
    watchForEnd(worker);
  };

  /** A process we did not start gives no sign of its end; a child does. */
  const watchForEnd = (worker: FleetWorker): void => {
    if (worker.watch || worker.child) return;
    const look = () => {
      worker.watch = null;
      if (worker.state === 'ended' || phase === 'gone') return;
      if (!isAlive(worker.identity.process)) ended(worker, null);
      else worker.watch = clock.after(DEATH_POLL_MS, look);
    };
    look();
  };

  const launchOne = (): void => {
    const name = randomHex(16);
    const child = options.launch(name);
    child.on('error', (error) => log.error({ error: error.message }, 'cannot start a worker'));
    if (child.pid === undefined) {
      earlyDeaths += 1;
      return;
    }
    const process = identityOf(child.pid);
    const worker = fleetWorker({ name, process, generation }, 'starting', child);
    workers.set(name, worker);
    ledger.open(worker.identity);
    child.on('exit', (_code, signal) => ended(worker, signal));
    killAfter(worker, START_TIMEOUT_MS, 'did not get ready in time');
    options.onAccount();
  };

  const ended = (worker: FleetWorker, signal: string | null): void => {
    if (worker.state === 'ended' || phase === 'gone') return;
    const diedEarly = worker.state === 'starting';
    moveTo(worker, 'ended');
    workers.delete(worker.identity.name);
    worker.deadline?.cancel();
    worker.watch?.cancel();
    worker.peer?.destroy();
    const { pid } = worker.identity.process;
    const unaccounted = ledger.fold(worker.identity.name, worker.saidBye);
    options.onAccount();
    log.info({ worker: pid, signal, orderly: worker.saidBye, unaccounted }, 'a worker ended');
    if (!worker.saidBye) options.onDeath({ pid, signal, unaccounted });
    if (worker.inside.size > 0) options.onInside();
    earlyDeaths = diedEarly ? earlyDeaths + 1 : 0;
    maintain();
    happenings.notify();
  };

  /** Starts what is missing, retires what is too much. */
  const maintain = (): void => {
    if (phase !== 'running') return;
    const current = all().filter(
      (worker) =>
        isCurrent(worker) &&
        (worker.state === 'starting' ||
          worker.state === 'accepting' ||
          (worker.state === 'absent' && !graceOver)),
    );
    for (const surplus of current.slice(size)) retire(surplus, UPGRADE_DRAIN_MS);
    if (current.length < size && !backingOff) launchMissing(size - current.length);
    if (acceptingNow().length >= size) retireOldGenerations();
  };

  const launchMissing = (count: number): void => {
    const delayMs =
      earlyDeaths < 2 ? 0 : Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (earlyDeaths - 2));
    if (delayMs === 0) {
      for (let i = 0; i < count; i += 1) launchOne();
      return;
    }
    log.warn({ earlyDeaths, delayMs }, 'workers die before they are ready; waiting');
    backingOff = true;
    clock.after(delayMs, () => {
      backingOff = false;
      if (phase !== 'running') return;
      launchOne();
      maintain();
    });
  };

  const retireOldGenerations = (): void => {
    const old = all().filter((worker) => worker.identity.generation < generation);
    for (const worker of old) {
      if (worker.state === 'accepting') retire(worker, UPGRADE_DRAIN_MS);
    }
    const generations = [...new Set(old.map((worker) => worker.identity.generation))].sort(
      (x, y) => y - x,
    );
    const tooOld = generations.slice(MAX_GENERATIONS - 1);
    for (const worker of old) {
      if (tooOld.includes(worker.identity.generation)) retire(worker, 0);
    }
  };

  const retire = (worker: FleetWorker, drainMs: number): void => {
    if (worker.state === 'ended') return;
    if (worker.state !== 'retiring') moveTo(worker, 'retiring');
    tell(worker, { kind: 'retire', drainMs });
    killAfter(worker, drainMs + RETIRE_GRACE_MS, 'did not retire in time');
    happenings.notify();
  };

  const greet = (
    peer: LinePeer,
    hello: Extract<ToSupervisor, { kind: 'hello' }>,
  ): FleetWorker | null => {
    const known = workers.get(hello.worker);
    const worker =
      known ??
      fleetWorker(
        {
          name: hello.worker,
          process: identityOf(hello.pid),
          generation: hello.generation,
        },
        'absent',
        null,
      );
    if (!known) {
      if (!ledger.open(worker.identity)) return null;
      workers.set(hello.worker, worker);
    }
    worker.peer?.destroy();
    worker.peer = peer;
    worker.watch?.cancel();
    worker.watch = null;
    worker.snapshot = hello.snapshot;
    ledger.ceiling(hello.worker, hello.ceiling);
    ledger.report(hello.worker, hello.report);
    noteReport(worker, hello.report);
    welcome(worker, hello.accepting);
    options.onAccount();
    maintain();
    happenings.notify();
    return worker;
  };

  const welcome = (worker: FleetWorker, accepts: boolean): void => {
    const accept = accepts || worker.state === 'starting';
    if (worker.state === 'absent') {
      worker.deadline?.cancel();
      worker.deadline = null;
      moveTo(worker, accepts ? 'accepting' : 'retiring');
    }
    tell(worker, {
      kind: 'welcome',
      accept: accept && worker.state !== 'retiring',
      ...options.routing(),
    });
    // It was retired by an earlier supervisor, or is; it learns again for how long.
    if (worker.state === 'retiring') retire(worker, phase === 'stopping' ? 0 : UPGRADE_DRAIN_MS);
  };

  const hear = (worker: FleetWorker, message: ToSupervisor): void => {
    const { name } = worker.identity;
    switch (message.kind) {
      case 'hello':
        return;
      case 'ready':
        if (worker.state !== 'starting') return;
        worker.deadline?.cancel();
        worker.deadline = null;
        earlyDeaths = 0;
        moveTo(worker, 'accepting');
        maintain();
        break;
      case 'ack':
        worker.snapshot = Math.max(worker.snapshot, message.number);
        break;
      case 'ceiling':
        ledger.ceiling(name, message.accepted);
        options.onCeiling();
        break;
      case 'bye':
        worker.saidBye = true;
        ledger.report(name, message.report);
        noteReport(worker, message.report);
        options.onInside();
        break;
      case 'report':
        ledger.report(name, message.report);
        noteReport(worker, message.report);
        options.onInside();
        break;
    }
    happenings.notify();
  };

  const unlinked = (worker: FleetWorker, peer: LinePeer): void => {
    if (worker.peer !== peer || worker.state === 'ended' || phase === 'gone') return;
    worker.peer = null;
    if (worker.state !== 'starting') {
      const relink = worker.saidBye ? 'did not exit' : 'did not connect again';
      killAfter(worker, RELINK_TIMEOUT_MS, relink);
    }
    watchForEnd(worker);
  };

  return {
    start(earlier) {
      for (const { worker: identity, rows, ceiling } of earlier) {
        if (!ledger.open(identity, { rows, ceiling })) continue;
        const worker = fleetWorker(identity, 'absent', null);
        workers.set(identity.name, worker);
      }
      for (const worker of all()) {
        if (!isAlive(worker.identity.process)) ended(worker, null);
        else killAfter(worker, ADOPTION_TIMEOUT_MS, 'did not connect to the new supervisor');
      }
      clock.after(ADOPTION_GRACE_MS, () => {
        graceOver = true;
        maintain();
        happenings.notify();
      });
      maintain();
    },
    connect(socket) {
      let worker: FleetWorker | null = null;
      const peer = linePeer(socket, {
        onMessage(received) {
          if (phase === 'gone') return;
          const message = received as ToSupervisor;
          if (worker) hear(worker, message);
          else if (message.kind === 'hello') worker = greet(peer, message);
          if (!worker) peer.destroy();
        },
        onClose() {
          if (worker) unlinked(worker, peer);
        },
      });
    },
    adopted: () => happenings.eventually(isAdopted),
    ready: () => happenings.eventually(() => acceptingNow().length >= size),
    pushHealth(health) {
      if (health.length === 0) return;
      for (const worker of all()) tell(worker, { kind: 'health', health });
    },
    pushSnapshot(snapshot) {
      for (const worker of all()) tell(worker, { kind: 'snapshot', snapshot });
    },
    async acknowledged(number) {
      // A worker that is only starting and has no link yet will be welcomed with it.
      const asked = all().filter((worker) => worker.peer !== null || worker.state !== 'starting');
      const lagging = () =>
        asked.filter((worker) => worker.state !== 'ended' && worker.snapshot < number);
      const routed = () => lagging().length === 0;
      if ((await happenings.until(routed, ACKNOWLEDGE_TIMEOUT_MS)) === 'met') return;
      for (const worker of lagging()) kill(worker, `has not acknowledged snapshot ${number}`);
      await happenings.eventually(routed);
    },
    async reported() {
      requests += 1;
      const request = requests;
      const asked = all().filter((worker) => worker.state !== 'starting');
      for (const worker of asked) tell(worker, { kind: 'report-now', request });
      await happenings.until(
        () => asked.every((worker) => worker.state === 'ended' || worker.answered >= request),
        REPORT_TIMEOUT_MS,
      );
    },
    inside() {
      const total = new Map<string, Inside>();
      for (const worker of workers.values()) {
        for (const [key, { inFlight, tunnels }] of worker.inside) {
          const sum = total.get(key) ?? { inFlight: 0, tunnels: 0 };
          total.set(key, { inFlight: sum.inFlight + inFlight, tunnels: sum.tunnels + tunnels });
        }
      }
      return total;
    },
    statuses: () =>
      all().map(({ identity, snapshot, state }) => ({
        pid: identity.process.pid,
        generation: identity.generation,
        snapshot,
        accepting: state === 'accepting',
      })),
    async stop(drainMs) {
      phase = 'stopping';
      for (const worker of all()) retire(worker, drainMs);
      await happenings.eventually(() => workers.size === 0);
    },
    letGo() {
      phase = 'gone';
      for (const worker of all()) {
        worker.deadline?.cancel();
        worker.watch?.cancel();
        worker.peer?.destroy();
      }
    },
  };
}
