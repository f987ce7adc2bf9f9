import type { Clock, Timer } from '../../kernel/clock.ts';
import type { ConnectionShare, PeerShare } from '../worker-record.ts';

/** Connections that one worker may have more than another, and one in so many of its own. */
const SLACK = 2;
const SLACK_SHARE = 16;
/** Of its connections, one in so many may come or go before it says so. */
const UNSAID_SHARE = 32;
/** How often a worker says that it is there, and looks at the others at rest. */
export const BEAT_MS = 100;
/** Of a worker that has not said so for this long, nothing is expected. */
const SILENT_MS = 500;
/** One that waits itself and has said so within this time looks again within as much. */
const SOON_MS = 20;
/** How soon a worker that waits for the others looks again: this, then twice as long each time. */
const FIRST_LOOK_MS = 1;

export interface FairShareOptions {
  clock: Clock;
  /** Where this worker tells its share. */
  tell: (share: ConnectionShare) => void;
  /** Connections that are open. */
  open: () => number;
  /** False when it cannot be done. */
  pause: () => boolean;
  resume: () => void;
}

/**
 * Keeps a worker from taking more than its share of connections. The kernel wakes every worker for a
 * new connection, and the first to run takes it: on a busy machine, that may be the same one for a
 * whole burst, and clients keep their connections. So a worker that is ahead leaves the listener to
 * the others until they have caught up, for as long as there is one that lives and accepts.
 */
export class FairShare {
  private readonly options: FairShareOptions;
  private peers: readonly PeerShare[] = [];
  private said = 0;
  private paused = false;
  private lookMs = FIRST_LOOK_MS;
  private look: Timer | null = null;
  private beat: Timer | null = null;

  constructor(options: FairShareOptions) {
    this.options = options;
  }

  /** The workers that accept beside this one. */
  setPeers(peers: readonly PeerShare[]): void {
    for (const peer of this.peers) peer.close();
    this.peers = peers;
    if (peers.length === 0) {
      this.stop();
      return;
    }
    this.beat ??= this.options.clock.every(BEAT_MS, () => this.settle());
    this.settle();
  }

  /** A connection has come or gone. */
  changed(): void {
    if (this.peers.length === 0) return;
    const open = this.options.open();
    if (Math.abs(open - this.said) > open / UNSAID_SHARE) this.settle();
  }

  /** Lets go of everything; the listener is open. */
  stop(): void {
    this.beat?.cancel();
    this.beat = null;
    this.look?.cancel();
    this.look = null;
    this.open();
    for (const peer of this.peers) peer.close();
    this.peers = [];
  }

  private settle(): void {
    const { clock, open, pause } = this.options;
    const connections = open();
    if (!this.isAhead(connections)) this.open();
    else if (!this.paused) this.paused = pause();
    this.say(connections);
    if (this.paused && this.look === null) {
      this.look = clock.after(this.lookMs, () => {
        this.look = null;
        this.lookMs = Math.min(this.lookMs * 2, BEAT_MS);
        this.settle();
      });
    }
  }

  private open(): void {
    if (!this.paused) return;
    this.paused = false;
    this.lookMs = FIRST_LOOK_MS;
    this.options.resume();
  }

  private say(connections: number): void {
    this.said = connections;
    this.options.tell({ connections, accepts: !this.paused, at: this.options.clock.now() });
  }

  /** Somebody who is there to take it should have the next connection. */
  private isAhead(connections: number): boolean {
    const fair = connections - SLACK - Math.floor(connections / SLACK_SHARE);
    const now = this.options.clock.now();
    return this.peers.some((peer) => {
      const share = peer.read();
      if (share === null) return false;
      // Two that wait for each other would be one too many, for longer than a moment.
      const presentMs = share.accepts ? SILENT_MS : SOON_MS;
      if (Math.abs(now - share.at) > presentMs) return false;
      return share.connections < fair;
    });
  }
}
