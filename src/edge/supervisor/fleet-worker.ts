import type { ChildProcess } from 'node:child_process';
import type { Timer } from '../../kernel/clock.ts';
import { stateMachine } from '../../kernel/state-machine.ts';
import type { WorkerStatus } from '../driver.ts';
import type { LinePeer } from '../line-peer.ts';
import type { ToWorker, WorkerReport } from '../link.ts';
import type { WorkerIdentity } from '../worker-record.ts';
import { keyOf } from './checks.ts';

/**
 * One worker process as the supervisor knows it.
 *
 * absent     left by an earlier supervisor, has not reconnected yet
 * starting   started, does not accept yet
 * accepting  serves
 * retiring   told to stop, or found stopped; drains
 * ended      gone
 */
export type WorkerState = 'absent' | 'starting' | 'accepting' | 'retiring' | 'ended';

export const workerMachine = stateMachine<WorkerState>('worker', {
  absent: ['accepting', 'retiring', 'ended'],
  starting: ['accepting', 'retiring', 'ended'],
  accepting: ['retiring', 'ended'],
  retiring: ['ended'],
  ended: [],
});

/** What is open inside one target, and why it is left out; null when it is not. */
export interface Inside {
  inFlight: number;
  tunnels: number;
  ejection: string | null;
}

export const NOTHING_INSIDE: Inside = { inFlight: 0, tunnels: 0, ejection: null };

export interface FleetWorker {
  readonly identity: WorkerIdentity;
  state: WorkerState;
  /** Null when another supervisor started it. */
  child: ChildProcess | null;
  peer: LinePeer | null;
  /** The snapshot it has acknowledged. */
  snapshot: number;
  /** The workers it was told of, those that accept beside it; null on a new link. */
  peersTold: string | null;
  /** The last `report-now` it has answered. */
  answered: number;
  /** Ticks since it was last heard. */
  silentTicks: number;
  /** By `keyOf` pool and target. */
  inside: Map<string, Inside>;
  /** What it keeps of responses, as it last said. */
  kept: Pick<WorkerReport, 'cacheMemory' | 'cacheDisk'>;
  saidBye: boolean;
  /** How long it was last told to drain; null while it serves. */
  drainMs: number | null;
  /** When patience with it ends: it is killed then. */
  deadline: Timer | null;
  /** Looks for its end while there is no link. */
  watch: Timer | null;
}

export function fleetWorker(
  identity: WorkerIdentity,
  state: WorkerState,
  child: ChildProcess | null,
): FleetWorker {
  return {
    identity,
    state,
    child,
    peer: null,
    snapshot: 0,
    peersTold: null,
    answered: 0,
    silentTicks: 0,
    inside: new Map(),
    kept: {},
    saidBye: false,
    drainMs: null,
    deadline: null,
    watch: null,
  };
}

export function moveTo(worker: FleetWorker, state: WorkerState): void {
  worker.state = workerMachine.move(worker.identity.name, worker.state, state);
}

/** It has connected, perhaps again. */
export function link(worker: FleetWorker, peer: LinePeer): void {
  worker.peer?.destroy();
  worker.peer = peer;
  worker.peersTold = null;
  worker.silentTicks = 0;
}

export function tell(worker: FleetWorker, message: ToWorker): void {
  worker.peer?.send(message);
}

/** Tells each worker that accepts which others do, if that has changed since it was last told. */
export function tellPeers(workers: Iterable<FleetWorker>): void {
  const accepting = [...workers].filter(({ state }) => state === 'accepting');
  for (const worker of accepting) {
    if (worker.peer === null) continue;
    const others = accepting.filter((other) => other !== worker);
    const names = others.map(({ identity }) => identity.name).sort();
    if (worker.peersTold === names.join()) continue;
    worker.peersTold = names.join();
    tell(worker, { kind: 'peers', names });
  }
}

export function noteReport(worker: FleetWorker, report: WorkerReport): void {
  worker.answered = Math.max(worker.answered, report.request ?? 0);
  worker.inside = new Map(
    report.targets
      .filter(({ inFlight, tunnels, ejection }) => inFlight + tunnels > 0 || ejection !== undefined)
      .map(({ pool, target, inFlight, tunnels, ejection = null }) => [
        keyOf(pool, target),
        { inFlight, tunnels, ejection },
      ]),
  );
  const { cacheMemory, cacheDisk } = report;
  worker.kept = { ...(cacheMemory && { cacheMemory }), ...(cacheDisk && { cacheDisk }) };
}

/** What is inside each target over all of them. One that leaves it out is enough to say why. */
export function insideAll(workers: Iterable<FleetWorker>): Map<string, Inside> {
  const total = new Map<string, Inside>();
  for (const worker of workers) {
    for (const [key, { inFlight, tunnels, ejection }] of worker.inside) {
      const sum = total.get(key) ?? NOTHING_INSIDE;
      total.set(key, {
        inFlight: sum.inFlight + inFlight,
        tunnels: sum.tunnels + tunnels,
        ejection: sum.ejection ?? ejection,
      });
    }
  }
  return total;
}

export const serves = ({ identity, state }: FleetWorker, generation: number): boolean =>
  identity.generation === generation && state === 'accepting';

export const statusOf = ({ identity, snapshot, state, kept }: FleetWorker): WorkerStatus => ({
  pid: identity.process.pid,
  generation: identity.generation,
  snapshot,
  accepting: state === 'accepting',
  ...kept,
});
