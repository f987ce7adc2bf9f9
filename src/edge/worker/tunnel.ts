import type { Outcome } from '../../model/ledger.ts';
import type { Access } from './access-log.ts';
import type { ClientConnection } from './client-connection.ts';
import type { EdgeContext } from './edge-context.ts';
import type { TargetState } from './target-state.ts';
import type { UpstreamConnection, UpstreamUser } from './upstream-connection.ts';
import { CloseFrameWatch } from './websocket-close.ts';

/**
 * An upgraded connection: bytes both ways, half-closing included, until either end has had enough,
 * nothing is said for long, or its draining target's deadline has passed.
 */
export class Tunnel implements UpstreamUser {
  private readonly edge: EdgeContext;
  private readonly client: ClientConnection;
  private readonly upstream: UpstreamConnection;
  private readonly target: TargetState;
  private readonly closeFrame: CloseFrameWatch | null;
  /** Its share, between 0 and 1, of the time over which a target's tunnels close. */
  private readonly jitter: number;
  /** Its line of the access log, but for how it ends; null where there is to be none. */
  private readonly access: Access | null;
  private readonly openedMs: number;
  /** What the client had been sent before. */
  private readonly sentBytes: number;
  private clientEnded = false;
  private ended = false;

  constructor(
    edge: EdgeContext,
    client: ClientConnection,
    upstream: UpstreamConnection,
    target: TargetState,
    protocol: string,
    access: Access | null,
  ) {
    this.edge = edge;
    this.client = client;
    this.upstream = upstream;
    this.target = target;
    this.closeFrame = protocol.toLowerCase() === 'websocket' ? new CloseFrameWatch() : null;
    // The golden ratio spreads a sequence evenly, whatever its length.
    this.access = access;
    this.openedMs = edge.clock.monotonic();
    this.sentBytes = client.socket.bytesWritten;
    this.jitter = (edge.account.accepted * 0.618_033_988_75) % 1;
  }

  /** @param early what the app said right behind its 101 */
  begin(early: Buffer): void {
    this.target.tunnels += 1;
    this.edge.account.tunnels += 1;
    this.edge.tunnels.add(this);
    this.upstream.user = this;
    this.client.becomeTunnel(this);
    this.touch();
    if (early.length > 0) this.onUpstreamData(early);
  }

  onClientData(bytes: Buffer): void {
    this.touch();
    if (!this.upstream.socket.write(Buffer.from(bytes))) this.client.socket.pause();
  }

  onClientDrain(): void {
    this.upstream.socket.resume();
  }

  onClientEnd(): void {
    this.clientEnded = true;
    this.upstream.socket.end();
    this.touch();
  }

  onClientGone(): void {
    this.upstream.destroy();
    this.end(this.clientEnded ? 'ok' : 'client-aborted');
  }

  onUpstreamConnect(): void {
    // It is connected.
  }

  onUpstreamData(bytes: Buffer): void {
    this.touch();
    this.closeFrame?.see(bytes);
    if (!this.client.socket.write(Buffer.from(bytes))) this.upstream.socket.pause();
  }

  onUpstreamDrain(): void {
    this.client.socket.resume();
  }

  /**
   * The kernel ends a killed instance's sockets as politely as the instance would have: where the
   * protocol has a goodbye of its own, its absence tells.
   */
  onUpstreamEnd(): void {
    const isGoodbye = this.clientEnded || this.closeFrame === null || this.closeFrame.seen;
    this.finish(isGoodbye ? 'ok' : 'cut');
  }

  onUpstreamReset(): void {
    this.finish(this.clientEnded ? 'ok' : 'cut');
  }

  /** Nothing was said for long, or a client that had finished got no last word. */
  onDeadline(): void {
    this.finish('ok');
  }

  /** Closes when its target's drain deadline has passed. @param now wall clock */
  closeIfDrained(now: number): void {
    const { draining, drainUntil } = this.target;
    if (!draining || drainUntil === null) return;
    if (now >= drainUntil + this.jitter * this.edge.limits.drainJitterMs) this.finish('ok');
  }

  /** The worker's own drain deadline has passed, or will not be waited for. */
  abandon(early: boolean): void {
    this.finish(early ? 'lost' : 'ok');
  }

  private touch(): void {
    const quietMs = this.clientEnded
      ? this.edge.limits.bodyProgressMs
      : this.target.balancing.quietMs;
    this.client.deadlineMs = this.edge.clock.monotonic() + quietMs;
  }

  private finish(outcome: Outcome): void {
    if (this.ended) return;
    // Not when it has taken what it was sent: an app that stopped reading may never.
    this.upstream.destroy();
    this.end(outcome);
    this.client.endAndLinger();
  }

  private end(outcome: Outcome): void {
    if (this.ended) return;
    this.ended = true;
    this.edge.tunnels.delete(this);
    this.edge.account.tunnels -= 1;
    if (this.target.draining && outcome === 'ok') this.target.row.drained += 1;
    this.edge.account.end(this.target.row, outcome, 101);
    this.target.traffic.count(outcome);
    this.target.tunnelLeft();
    this.client.leaveDemand(this.edge.clock.monotonic());
    if (this.access !== null) this.log(this.access, outcome);
  }

  private log(access: Access, outcome: Outcome): void {
    const { accessLog, clock } = this.edge;
    accessLog?.write({
      ...access,
      outcome,
      bodyBytes: this.client.socket.bytesWritten - this.sentBytes,
      durationMs: access.durationMs + clock.monotonic() - this.openedMs,
    });
  }
}
