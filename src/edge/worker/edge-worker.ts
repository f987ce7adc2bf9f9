import type { Clock } from '../../kernel/clock.ts';
import { randomFraction, randomHex } from '../../kernel/random.ts';
import { DEFAULT_EDGE_SETTINGS } from '../../model/edge-settings.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { DiskStore } from '../cache/disk/disk-store.ts';
import { KeptOnDisk } from '../cache/kept-on-disk.ts';
import { ResponseCache } from '../cache/response-cache.ts';
import { type Limits, limitsFrom } from '../limits.ts';
import type { HealthEntry, WorkerReport } from '../link.ts';
import type { ConnectionShare, PeerShare } from '../worker-record.ts';
import type { AccessLogFile } from './access-log-file.ts';
import { Account } from './account.ts';
import { ClientConnection } from './client-connection.ts';
import { ClientRates } from './client-rates.ts';
import type { ClientSocket } from './client-socket.ts';
import { Deadlines, SWEEP_MS } from './deadlines.ts';
import { Doorkeeper } from './doorkeeper.ts';
import type { EdgeContext } from './edge-context.ts';
import { FairShare } from './fair-share.ts';
import { Listener } from './listener.ts';
import { ownAnswers } from './own-answers.ts';
import { type ReportExtent, readReport } from './report.ts';
import { RoutingTable } from './routing-table.ts';
import { trustedProxies } from './trusted-proxies.ts';
import { TurnedAway } from './turned-away.ts';
import { WaitQueue } from './wait-queue.ts';
import { Wanted } from './wanted.ts';

export interface EdgeWorkerOptions {
  clock: Clock;
  limits?: Partial<Limits>;
  /** Where requests are written down, if a snapshot asks for it. */
  accessLog?: AccessLogFile;
  /** Opens what is kept of answers on disk, when there is a cache; left out: nothing is. */
  cacheDisk?: (boundBytes: number) => DiskStore;
  /** Told before a request above the last ceiling is accepted. */
  onCeiling: (ceiling: number) => void;
  /** The last request, or tunnel, has left a draining target: somebody is waiting to hear it. */
  onDrained: () => void;
  /** The environments that are asleep while requests wait for them have changed: to be told at once. */
  onWanted?: () => void;
  /** Told what it has of the connections, while there are workers beside it. */
  onShare?: (share: ConnectionShare) => void;
}

export interface EdgeWorker {
  /** Accepts connections there. Resolves with the port. */
  listen(at: { fd: number } | { host: string; port: number }): Promise<number>;
  /** Routes by this snapshot from now on, unless it holds a newer one. */
  apply(snapshot: Snapshot): void;
  updateHealth(entries: readonly HealthEntry[]): void;
  /** Accepts beside these from now on, and no more than its share. */
  setPeers(peers: readonly PeerShare[]): void;
  /** Counts these, which have been out of the snapshot for long, more coarsely. */
  merge(pools: readonly string[], environments: readonly string[]): void;
  /** What it has counted. */
  report(request: number | null, extent: ReportExtent): WorkerReport;
  /** Changes whenever there is something new to report. */
  activity(): string;
  readonly snapshot: number;
  readonly ceiling: number;
  readonly accepting: boolean;
  /**
   * Stops accepting and lets every connection finish what it is on. `cut-off` when something was
   * still open at the end of the time. `early`: more time had been promised.
   */
  retire(drainMs: number, early?: boolean): Promise<'drained' | 'cut-off'>;
  /** Closes everything at once. */
  close(): Promise<void>;
}

/** The data plane, without the process around it. Constructing it opens nothing. */
export function createEdgeWorker(options: EdgeWorkerOptions): EdgeWorker {
  const { clock } = options;
  const limits = { ...limitsFrom(DEFAULT_EDGE_SETTINGS), ...options.limits };
  const account = new Account(options.onCeiling);
  const deadlines = new Deadlines(clock);
  const wanted = new Wanted(() => options.onWanted?.());
  const queue = new WaitQueue((environment) => wanted.add(environment));
  const table = new RoutingTable({
    clock,
    limits,
    account,
    onDrained: options.onDrained,
    random: randomFraction,
    onRoom: (environment) => queue.serve(environment),
    cache: () => {
      cache ??= new ResponseCache(edge, cacheBytes, randomFraction, openDisk(cacheDiskBytes));
      return cache;
    },
  });
  let cache: ResponseCache | null = null;
  let { cacheMemoryBytes: cacheBytes, cacheDiskBytes } = DEFAULT_EDGE_SETTINGS;
  const openDisk = (boundBytes: number): KeptOnDisk | null => {
    const store = options.cacheDisk?.(boundBytes) ?? null;
    return store && new KeptOnDisk(store, clock, randomFraction);
  };
  const idPrefix = randomHex(16);
  const listeners = new Set<Listener>();
  let lastRequest = 0;
  let onEmpty: (() => void) | null = null;

  const edge: EdgeContext = {
    clock,
    limits,
    account,
    accessLog: null,
    watchesEnds: false,
    table,
    deadlines,
    queue,
    clients: new Set(),
    tunnels: new Set(),
    turnedAway: new Set(),
    rates: new ClientRates(),
    trustedProxies: null,
    retiring: false,
    requestId: () => {
      lastRequest += 1;
      return `${idPrefix}-${lastRequest.toString(36)}`;
    },
    onClientGone: ({ socket }) => {
      doorkeeper.leave(socket);
      share.changed();
      if (edge.clients.size === 0) onEmpty?.();
    },
  };
  const reviewWanted = (): void => {
    wanted.replace(table.asleep().filter((environment) => queue.hasDemand(environment)));
  };
  const doorkeeper = new Doorkeeper(limits, edge.clients);
  const sweep = clock.every(SWEEP_MS, () => {
    const nowMs = clock.monotonic();
    table.sweep(nowMs);
    edge.rates.sweep(nowMs);
    // Those that refused connections may be asked again by now.
    queue.serveAll();
    const now = clock.now();
    for (const tunnel of edge.tunnels) tunnel.closeIfDrained(now);
    if (wanted.environments.length > 0) reviewWanted();
  });
  deadlines.start();

  const accept = (socket: ClientSocket): void => {
    const entry = doorkeeper.enter(socket);
    if (entry === 'let-in') new ClientConnection(edge, socket);
    else new TurnedAway(edge, socket, ownAnswers[entry]);
    share.changed();
  };
  const share = new FairShare({
    clock,
    tell: (told) => options.onShare?.(told),
    open: () => edge.clients.size,
    pause: () => [...listeners].map((listener) => listener.pause()).some(Boolean),
    resume() {
      for (const listener of listeners) listener.resume();
    },
  });
  const stopListening = (): void => {
    share.stop();
    for (const listener of listeners) listener.close();
    listeners.clear();
  };
  const stopTimers = (): void => {
    deadlines.stop();
    sweep.cancel();
    for (const target of table.targets()) target.closeIdle();
  };

  return {
    async listen(at) {
      const listener = await Listener.open(at, accept);
      listeners.add(listener);
      return listener.port;
    },
    apply(snapshot) {
      if (snapshot.number < table.number) return;
      edge.limits = { ...limitsFrom(snapshot.settings), ...options.limits };
      edge.trustedProxies = trustedProxies(snapshot.settings.trustedProxies, edge.trustedProxies);
      doorkeeper.update(edge.limits, edge.trustedProxies);
      edge.accessLog = options.accessLog?.use(snapshot.settings.accessLog) ?? null;
      ({ cacheMemoryBytes: cacheBytes, cacheDiskBytes } = snapshot.settings);
      cache?.setBounds(cacheBytes, cacheDiskBytes);
      table.apply(snapshot);
      edge.watchesEnds = edge.accessLog !== null || table.watchesDemand;
      queue.followRules();
      queue.serveAll();
      reviewWanted();
    },
    updateHealth(entries) {
      table.updateHealth(entries);
      queue.serveAll();
    },
    setPeers: (peers) => share.setPeers(listeners.size > 0 ? peers : []),
    merge(pools, environments) {
      account.merge({
        pools: new Set(pools.filter((pool) => !table.uses(pool))),
        environments: new Set(environments),
      });
    },
    report: (request, extent) => ({
      ...readReport(account, table, request, extent),
      turnedAway: doorkeeper.turnedAway,
      waiting: queue.lengths(),
      wanted: wanted.environments,
      quietMs: table.quietMs(clock.monotonic()),
      ...(cache && { cache: cache.readCounts(), ...cache.rooms() }),
    }),
    activity: () =>
      `${account.accepted} ${account.ended} ${account.tunnels} ${table.leftOutChanges} ${doorkeeper.turnedAway}`,
    get snapshot() {
      return table.number;
    },
    get ceiling() {
      return account.ceiling;
    },
    get accepting() {
      return listeners.size > 0;
    },
    async retire(drainMs, early = false) {
      edge.retiring = true;
      stopListening();
      const outcome = await new Promise<'drained' | 'cut-off'>((resolve) => {
        const timer = clock.after(drainMs, () => resolve('cut-off'));
        onEmpty = () => {
          timer.cancel();
          resolve('drained');
        };
        if (edge.clients.size === 0) onEmpty();
      });
      for (const client of edge.clients) client.abandon(early);
      await cache?.close();
      stopTimers();
      return outcome;
    },
    async close() {
      stopListening();
      for (const client of edge.clients) client.abandon(true);
      for (const client of edge.clients) client.destroy();
      await cache?.close();
      for (const turnedAway of edge.turnedAway) turnedAway.destroy();
      stopTimers();
      if (edge.clients.size > 0)
        await new Promise<void>((resolve) => {
          onEmpty = resolve;
        });
      await options.accessLog?.close();
    },
  };
}
