import type { Outcome } from '../../model/ledger.ts';
import type { Target } from '../../model/snapshot.ts';
import type { TargetHealth } from '../../model/target.ts';
import type { Balancing } from '../../model/traffic.ts';
import type { Limits } from '../limits.ts';
import type { RowCounter } from './account.ts';
import { type Pickable, UNBOUNDED } from './balance/picker.ts';
import type { Member } from './ejector.ts';
import type { PoolState } from './pool-state.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Tagged } from './session-signer.ts';
import { Standing } from './standing.ts';
import { TargetCounter } from './target-counter.ts';
import { UpstreamConnection } from './upstream-connection.ts';

/**
 * What a pool does with a target.
 *
 * healthy  it takes requests
 * failing  it was healthy once, or is left out: it takes them where no pool has a healthy one
 * out      it takes none: new, standing by, or leaving
 */
export type Rotation = 'healthy' | 'failing' | 'out';

/** One target as a worker sees it: its health, what is inside it, its idle connections. */
export class TargetState implements Pickable, Member, Tagged {
  readonly pool: string;
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly zone: string | null;
  readonly row: RowCounter;
  readonly budget: RetryBudget;
  /** Its pool's. */
  balancing: Balancing;
  mostInFlight = UNBOUNDED;
  /** A line for every request to it, so that it is known if it comes back; empty where none can. */
  loopField = '';
  /** As its pool last saw it. */
  rotation: Rotation = 'out';
  slowUntilMs = 0;
  slowStartMs = 0;
  turnCredit = 0;
  tag: Tagged['tag'] = null;
  health: TargetHealth = 'initial';
  admitted = false;
  /** Requests inside it; upgraded connections are counted apart. */
  inFlight = 0;
  tunnels = 0;
  suspectUntilMs = 0;
  /** Takes new requests, if its health allows. */
  active = false;
  /** Being taken out, or gone from the snapshot. */
  draining = false;
  /** Wall clock. */
  drainUntil: number | null = null;
  /** What has passed through it; one that moved to another port takes it along. */
  traffic = new TargetCounter();
  readonly standing = new Standing();
  /** What the last report said was inside. */
  reportedInFlight = 0;
  reportedTunnels = 0;
  /** Told when the last request, or the last tunnel, has left while it is draining. */
  private readonly onDrained: () => void;
  private readonly limits: Limits;
  private readonly poolState: PoolState;
  /** Newest last. */
  private idle: UpstreamConnection[] = [];

  constructor(
    target: Target,
    pool: PoolState,
    row: RowCounter,
    { limits, onDrained }: { limits: Limits; onDrained: () => void },
  ) {
    this.pool = pool.id;
    this.id = target.id;
    this.host = target.host;
    this.port = target.port;
    this.zone = target.zone;
    this.row = row;
    this.budget = pool.budget;
    this.balancing = pool.balancing;
    this.limits = limits;
    this.onDrained = onDrained;
    this.poolState = pool;
  }

  /** Takes how its pool is balanced. */
  balance(balancing: Balancing): void {
    this.balancing = balancing;
    this.mostInFlight = balancing.maxConcurrency ?? UNBOUNDED;
    if (balancing.slowStartMs === 0) this.slowUntilMs = 0;
  }

  get passesChecks(): boolean {
    return this.active && this.health === 'healthy';
  }

  /** It may take requests, as far as anybody knows. */
  get isFit(): boolean {
    return this.passesChecks && this.standing.leftOut === null;
  }

  /** It may take them where nothing better is. */
  get wasFit(): boolean {
    const known = this.health === 'healthy' || this.health === 'unhealthy';
    return this.active && this.admitted && known;
  }

  /** It is in rotation, and not in slow start. */
  hasFullShare(nowMs: number): boolean {
    return this.rotation === 'healthy' && this.slowUntilMs <= nowMs;
  }

  /** @param slowStartMs over which it comes to its share, where it was not in rotation; 0: at once */
  joinHealthy(slowStartMs: number, nowMs: number): void {
    if (this.rotation === 'healthy') return;
    this.rotation = 'healthy';
    this.slowStartMs = slowStartMs;
    this.slowUntilMs = slowStartMs === 0 ? 0 : nowMs + slowStartMs;
    this.turnCredit = 0;
  }

  joinFailing(): void {
    this.rotation = 'failing';
    this.slowUntilMs = 0;
  }

  leaveRotation(): void {
    this.rotation = 'out';
    this.slowUntilMs = 0;
  }

  /** Takes what the snapshot says; null when it is not in it any more. */
  update(target: Target | null): void {
    this.active = target?.state === 'active';
    this.draining = target === null || target.state === 'draining';
    if (target !== null) this.drainUntil = target.drainUntil;
    if (this.active) return;
    this.leaveRotation();
    this.closeIdle();
  }

  /**
   * The newest idle connection fit for the request, if any.
   *
   * @param repeatable it can be sent again if the app closes the connection as it comes
   */
  takeIdle(repeatable: boolean, nowMs: number): UpstreamConnection | null {
    for (let connection = this.idle.pop(); connection; connection = this.idle.pop()) {
      if (connection.closed || connection.idleUntilMs <= nowMs) {
        connection.destroy();
        continue;
      }
      if (repeatable || nowMs - connection.idleSinceMs <= this.limits.nonIdempotentIdleMs) {
        return connection;
      }
      // The others are older still.
      this.idle.push(connection);
      return null;
    }
    return null;
  }

  connect(): UpstreamConnection {
    return new UpstreamConnection(this.host, this.port);
  }

  /** Takes back a connection that has done its work and may do more. */
  keep(connection: UpstreamConnection, keepAliveMs: number | null, nowMs: number): void {
    const idleMs = keepAliveMs === null ? this.limits.upstreamIdleMs : beforeTimeout(keepAliveMs);
    if (!this.active || idleMs <= 0 || this.idle.length >= this.limits.upstreamIdleConnections) {
      connection.destroy();
      return;
    }
    connection.idleSinceMs = nowMs;
    connection.idleUntilMs = nowMs + idleMs;
    this.idle.push(connection);
  }

  /** It has answered, or should have. @param well not with a 5xx, not late, not broken off */
  answered(well: boolean, nowMs: number): void {
    const { ejection } = this.balancing;
    if (ejection === null) return;
    const { conduct } = this.standing;
    conduct.note(well);
    // At once for a run that has just become long enough; for all else the sweep is soon enough.
    if (conduct.errorsInRow === ejection.consecutiveErrors) this.poolState.reviewNow(nowMs);
  }

  /** A request that was last with it has ended. */
  count(outcome: Outcome, latencyUs: number): void {
    this.traffic.count(outcome);
    this.traffic.recordLatency(latencyUs);
  }

  requestLeft(): void {
    this.inFlight -= 1;
    if (this.inFlight === this.mostInFlight - 1) this.poolState.roomAppeared();
    if (this.draining && this.inFlight === 0) this.onDrained();
  }

  tunnelLeft(): void {
    this.tunnels -= 1;
    if (this.draining && this.tunnels === 0) this.onDrained();
  }

  get empty(): boolean {
    return this.inFlight === 0 && this.tunnels === 0;
  }

  /** Drops idle connections that are closed or too old. */
  sweepIdle(nowMs: number): void {
    if (this.idle.length === 0) return;
    this.idle = this.idle.filter((connection) => {
      const fit = !connection.closed && connection.idleUntilMs > nowMs;
      if (!fit) connection.destroy();
      return fit;
    });
  }

  closeIdle(): void {
    for (const connection of this.idle) connection.destroy();
    this.idle = [];
  }
}

/** A little earlier than the app will close, so that the two do not meet. */
const beforeTimeout = (timeoutMs: number): number => timeoutMs - Math.min(1_000, timeoutMs / 2);
