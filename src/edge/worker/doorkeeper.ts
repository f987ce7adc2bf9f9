import type { Socket } from 'node:net';
import type { Limits } from '../limits.ts';
import { countedAs, plainAddress } from './client-address.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Why a connection is not let in, if it is not. */
export type Entry = 'let-in' | 'full' | 'tooManyOfClient';

/**
 * Lets connections in up to a bound, and up to another of one client. Trusted proxies, whose
 * connections are many clients', are under the first alone.
 */
export class Doorkeeper {
  /** How many it has not let in, ever. */
  turnedAway = 0;
  private limits: Pick<Limits, 'connections' | 'connectionsPerClient'>;
  private proxies: TrustedProxies | null = null;
  /** Those that were let in and have not left. */
  private readonly inside: ReadonlySet<{ readonly socket: Socket }>;
  /** Open connections by client, as it is counted; empty where they are not bounded. */
  private readonly byClient = new Map<string, number>();

  constructor(limits: Limits, inside: ReadonlySet<{ readonly socket: Socket }>) {
    this.limits = limits;
    this.inside = inside;
  }

  /** What holds from now on; what is open stays. */
  update(limits: Limits, proxies: TrustedProxies | null): void {
    const { connectionsPerClient } = this.limits;
    const recount =
      (connectionsPerClient === null) !== (limits.connectionsPerClient === null) ||
      proxies !== this.proxies;
    this.limits = limits;
    this.proxies = proxies;
    if (!recount) return;
    this.byClient.clear();
    for (const { socket } of this.inside) this.count(socket, 1);
  }

  enter(socket: Socket): Entry {
    const entry = this.judge(socket);
    if (entry === 'let-in') this.count(socket, 1);
    else this.turnedAway += 1;
    return entry;
  }

  /** One that was let in has closed. */
  leave(socket: Socket): void {
    this.count(socket, -1);
  }

  private judge(socket: Socket): Entry {
    const { connections, connectionsPerClient } = this.limits;
    if (this.inside.size >= connections) return 'full';
    if (connectionsPerClient !== null) {
      const client = this.clientOf(socket);
      if (client !== null && (this.byClient.get(client) ?? 0) >= connectionsPerClient) {
        return 'tooManyOfClient';
      }
    }
    return 'let-in';
  }

  private count(socket: Socket, change: 1 | -1): void {
    if (this.limits.connectionsPerClient === null) return;
    const client = this.clientOf(socket);
    if (client === null) return;
    const count = (this.byClient.get(client) ?? 0) + change;
    if (count > 0) this.byClient.set(client, count);
    else this.byClient.delete(client);
  }

  /** Null for one that is not counted, and for a socket that has closed before it was ever asked. */
  private clientOf(socket: Socket): string | null {
    // Node remembers it beyond the close.
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) return null;
    const address = plainAddress(remoteAddress);
    return this.proxies?.has(address) ? null : countedAs(address);
  }
}
