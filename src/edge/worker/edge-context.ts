import type { Clock } from '../../kernel/clock.ts';
import type { Limits } from '../limits.ts';
import type { AccessLog } from './access-log.ts';
import type { Account } from './account.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ClientRates } from './client-rates.ts';
import type { Deadlines } from './deadlines.ts';
import type { RoutingTable } from './routing-table.ts';
import type { TrustedProxies } from './trusted-proxies.ts';
import type { Tunnel } from './tunnel.ts';
import type { TurnedAway } from './turned-away.ts';
import type { WaitQueue } from './wait-queue.ts';

/** What every connection of a worker works with. */
export interface EdgeContext {
  readonly clock: Clock;
  /** Those of the snapshot in force; a connection keeps those it began with. */
  limits: Limits;
  readonly account: Account;
  /** Null where it is off. */
  accessLog: AccessLog | null;
  /** Something beside the account is to know when a request ends. */
  watchesEnds: boolean;
  readonly table: RoutingTable;
  readonly queue: WaitQueue;
  readonly deadlines: Deadlines;
  readonly clients: Set<ClientConnection>;
  readonly tunnels: Set<Tunnel>;
  /** Connections that were not let in, on their way out. */
  readonly turnedAway: Set<TurnedAway>;
  readonly rates: ClientRates;
  /** Null where nobody is trusted. */
  trustedProxies: TrustedProxies | null;
  /** It stopped accepting: every response closes its connection. */
  retiring: boolean;
  /** A request id that no other request of any worker has. */
  requestId(): string;
  /** A connection has closed. */
  onClientGone(client: ClientConnection): void;
}
