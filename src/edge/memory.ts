import { Fault } from '../kernel/fault.ts';
import type { CacheRoom } from '../model/cache.ts';
import type { LedgerReading } from '../model/ledger.ts';
import type { Snapshot, Target } from '../model/snapshot.ts';
import type {
  StandbyHealth,
  TargetHealth,
  TargetReason,
  TargetStatus,
  TargetTraffic,
} from '../model/target.ts';
import type { DiskTrouble } from './cache/disk/disk-store.ts';
import type { EdgeDriver, EdgeEvent, EdgeStatus } from './driver.ts';

/**
 * An edge that exists only as data: nothing listens, nothing is checked, nothing passes. For tests
 * of the control plane and for fleets of thousands. A target has the health it is told to have.
 */

export interface MemoryEdgeOptions {
  now: () => number;
  /** What the checks of an active target would say at first; healthy when not given. */
  health?: (pool: string, target: string) => 'initial' | 'healthy' | 'unhealthy';
}

export interface MemoryEdge extends EdgeDriver {
  /** The snapshot in force; null before the first. */
  readonly snapshot: Snapshot | null;
  /** What the checks of a target say from now on; of one on standby too, which does not show it. */
  setHealth(pool: string, target: string, health: TargetHealth, description?: string): void;
  /** Requests and tunnels inside a target. */
  setInside(pool: string, target: string, inside: { inFlight: number; tunnels: number }): void;
  /** What the edge says of a target beside its health. */
  setJudgement(
    pool: string,
    target: string,
    judgement: Partial<Pick<TargetStatus, 'ejection' | 'deep'>>,
  ): void;
  setLedger(reading: Omit<LedgerReading, 'at'>): void;
  /** What its one worker keeps of responses. */
  setCacheRoom(memory: CacheRoom, disk: CacheRoom): void;
  /** Something is wrong with what is kept on disk, or not any more. */
  setCacheDisk(trouble: DiskTrouble, detail: string): void;
  /** Requests that wait for an instance, by environment; null: it does not tell. */
  setWaiting(waiting: Record<string, number> | null): void;
  /** Environments that are asleep while requests wait for them. */
  setWanted(environments: readonly string[]): void;
  /** Somebody wants an environment, from now on (`stays`) or for this moment. */
  demand(environment: string, stays?: 'stays' | 'leaves'): void;
  /** What has passed through each target. */
  setTraffic(traffic: TargetTraffic[]): void;
  /** Breaks the connection, or makes it again: until then the edge cannot be reached. */
  setReachable(reachable: boolean): void;
}

const PID = 1;
const emptyLedger = { rows: [], unaccounted: 0, inFlight: 0, tunnels: 0 };

export function createMemoryEdge({ now, health = () => 'healthy' }: MemoryEdgeOptions): MemoryEdge {
  const targets = new Map<string, TargetStatus>();
  const listeners = new Set<(event: EdgeEvent) => void>();
  let snapshot: Snapshot | null = null;
  let ledger: Omit<LedgerReading, 'at'> = emptyLedger;
  let traffic: TargetTraffic[] = [];
  let waiting: Record<string, number> | null = {};
  let wanted: readonly string[] = [];
  let kept: { cacheMemory?: CacheRoom; cacheDisk?: CacheRoom } = {};
  /** When each was wanted last; for ever while somebody stays. */
  const demandedAt = new Map<string, number>();
  let generation = 1;
  let reachable = true;

  const tell = (event: EdgeEvent): void => {
    for (const listener of listeners) listener(event);
  };

  const requireReachable = (): void => {
    if (reachable) return;
    throw new Fault({
      code: 'edge-unreachable',
      message: 'the edge cannot be reached',
      retryable: true,
    });
  };

  const statusNow = (): EdgeStatus => {
    const number = snapshot?.number ?? 0;
    return {
      pid: PID,
      generation,
      listeners: [],
      workers: [{ pid: PID, generation, snapshot: number, accepting: true, ...kept }],
      snapshot: number,
      targets: [...targets.values()],
      ...(waiting && { waiting }),
      wanted,
    };
  };

  const change = (pool: string, target: string, changes: Partial<TargetStatus>): void => {
    const known = targets.get(keyOf(pool, target));
    if (!known) throw new Error(`the edge has no target ${target} in ${pool}`);
    const changed = { ...known, ...changes };
    targets.set(keyOf(pool, target), changed);
    tell({ kind: 'targets', targets: [changed] });
  };

  const register = (pool: string, target: Target): TargetStatus => {
    const known = targets.get(keyOf(pool, target.id));
    const condition = (known && conditionOf(known)) ?? health(pool, target.id);
    const wanted = healthOf(target.state, condition);
    if (known?.health === wanted) return known;
    const { standby, ...rest } = known ?? newStatus(pool, target.id, now());
    const status = { ...rest, ...explained(wanted), since: now() };
    return wanted === 'unused' ? { ...status, standby: { condition, since: now() } } : status;
  };

  const replaceTargets = (next: Snapshot): void => {
    const before = new Map(targets);
    targets.clear();
    for (const pool of next.pools) {
      for (const target of pool.targets) {
        const key = keyOf(pool.id, target.id);
        const known = before.get(key);
        if (known) targets.set(key, known);
        targets.set(key, register(pool.id, target));
      }
    }
    const changed = [...targets].filter(([key, status]) => before.get(key) !== status);
    if (changed.length > 0) tell({ kind: 'targets', targets: changed.map(([, status]) => status) });
  };

  return {
    get snapshot() {
      return snapshot;
    },
    async start() {
      return statusNow();
    },
    async publish(next) {
      requireReachable();
      const current = snapshot?.number ?? 0;
      if (next.number <= current) throw stale(next.number, current);
      snapshot = next;
      for (const { environment, wake } of next.rules) {
        if (wake === null) demandedAt.delete(environment);
        else if (!demandedAt.has(environment)) demandedAt.set(environment, now());
      }
      replaceTargets(next);
    },
    async status() {
      requireReachable();
      return statusNow();
    },
    async ledger() {
      requireReachable();
      return { at: now(), ...ledger };
    },
    async traffic() {
      requireReachable();
      return traffic;
    },
    async quietMs() {
      requireReachable();
      return Object.fromEntries(
        [...demandedAt].map(([environment, at]) => [environment, Math.max(0, now() - at)]),
      );
    },
    async upgrade() {
      requireReachable();
      generation += 1;
      return statusNow();
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async stop() {
      targets.clear();
    },
    async close() {
      listeners.clear();
    },
    setHealth(pool, target, to, description = '') {
      const isStandby = targets.get(keyOf(pool, target))?.health === 'unused';
      const condition = conditionOf({ health: to });
      if (isStandby && condition) change(pool, target, { standby: { condition, since: now() } });
      else change(pool, target, { ...explained(to, description), since: now() });
    },
    setInside: change,
    setJudgement(pool, target, judgement) {
      const since = judgement.deep?.passed === false ? { deepFailingSince: now() } : {};
      const known = targets.get(keyOf(pool, target));
      if (known && judgement.deep !== undefined) delete known.deepFailingSince;
      change(pool, target, { ...since, ...judgement });
    },
    setLedger(reading) {
      ledger = reading;
    },
    setCacheRoom(cacheMemory, cacheDisk) {
      kept = { cacheMemory, cacheDisk };
    },
    setCacheDisk(trouble, detail) {
      tell({ kind: 'cache-disk', pid: PID, trouble, detail });
    },
    setWaiting(told) {
      waiting = told;
    },
    setWanted(environments) {
      wanted = environments;
      tell({ kind: 'wanted', environments });
    },
    demand(environment, stays = 'leaves') {
      demandedAt.set(environment, stays === 'stays' ? Number.POSITIVE_INFINITY : now());
    },
    setTraffic(told) {
      traffic = told;
    },
    setReachable(wanted) {
      if (wanted === reachable) return;
      reachable = wanted;
      tell(wanted ? { kind: 'connected', status: statusNow() } : { kind: 'disconnected' });
    },
  };
}

const keyOf = (pool: string, target: string): string => `${pool} ${target}`;

function healthOf(state: Target['state'], checked: TargetHealth): TargetHealth {
  if (state === 'draining') return 'draining';
  return state === 'standby' ? 'unused' : checked;
}

/** What its checks have said; null where nobody would know. */
function conditionOf({
  health,
  standby,
}: Pick<TargetStatus, 'health' | 'standby'>): StandbyHealth['condition'] | null {
  if (standby) return standby.condition;
  return health === 'draining' || health === 'unused' ? null : health;
}

const newStatus = (pool: string, id: string, since: number): TargetStatus => ({
  id,
  pool,
  ...explained('initial'),
  since,
  inFlight: 0,
  tunnels: 0,
  ejection: null,
  deep: null,
});

const REASONS: Record<TargetHealth, TargetReason | null> = {
  initial: 'Elb.InitialHealthChecking',
  healthy: null,
  unhealthy: 'Target.FailedHealthChecks',
  draining: 'Target.DeregistrationInProgress',
  unused: 'Target.NotInUse',
};

function explained(
  health: TargetHealth,
  description = '',
): Pick<TargetStatus, 'health' | 'reason' | 'description'> {
  return { health, reason: REASONS[health], description };
}

function stale(number: number, current: number): Fault {
  return new Fault({
    code: 'stale-snapshot',
    message: `snapshot ${number} is not newer than ${current}, which is in force`,
    details: { current },
  });
}
