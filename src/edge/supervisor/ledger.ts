import {
  addRows,
  type Gone,
  type LedgerReading,
  type LedgerRow,
  noOutcomes,
  outcomes,
  placeAfter,
  rowKey,
} from '../../model/ledger.ts';
import type { TargetTraffic } from '../../model/target.ts';
import type { WorkerReport } from '../link.ts';
import type { WorkerIdentity } from '../worker-record.ts';
import { addCounts, type CountsByEnvironment, mergeCounts } from './cache-counts.ts';
import { type TargetName, Traffic } from './traffic.ts';

/**
 * The account over all workers there ever were: what ended ones counted is folded into a base, and
 * living ones are added when it is read. It touches no file; the supervisor keeps it on disk.
 */

/** Names of folded workers that are remembered, so that none is folded twice after a crash. */
const REMEMBERED_NAMES = 256;

export interface KeptBase {
  rows: LedgerRow[];
  unaccounted: number;
  /** As in a reading; earlier versions did not keep these. */
  turnedAway?: number;
  cache?: CountsByEnvironment;
  /** Workers whose counts are in the rows. */
  folded: string[];
}

/** A living worker as of its last report. */
export interface KeptWorker {
  worker: WorkerIdentity;
  ceiling: number;
  rows: LedgerRow[];
  turnedAway?: number;
  cache?: CountsByEnvironment;
}

interface Account {
  worker: WorkerIdentity;
  ceiling: number;
  rows: Map<string, LedgerRow>;
  inFlight: number;
  tunnels: number;
  turnedAway: number;
  cache: CountsByEnvironment;
  /** Null: it does not say. */
  waiting: Readonly<Record<string, number>> | null;
  wanted: readonly string[];
  /** Null: it has not said since it was asked. */
  quietMs: Readonly<Record<string, number>> | null;
}

export interface Ledger {
  /** A worker from its start, or from what was kept of it. Not one that is folded already. */
  open(worker: WorkerIdentity, kept?: Omit<KeptWorker, 'worker'>): boolean;
  ceiling(worker: string, accepted: number): void;
  report(worker: string, report: WorkerReport): void;
  /**
   * The worker has ended. Returns how many of its requests have no account: none if it said so
   * itself, else at most what it was allowed to accept and has not reported as ended.
   */
  fold(worker: string, orderly: boolean): number;
  /** Counts what ended workers counted in what is gone more coarsely; living ones do it themselves. */
  merge(gone: Gone): void;
  read(at: number): LedgerReading;
  /** Requests that wait for a target, by environment; null while a living worker does not say. */
  waiting(): Record<string, number> | null;
  /** Environments that are asleep while requests wait for them, in order. */
  wanted(): string[];
  /** What workers have said of who wants environments is not to be gone by any more. */
  forgetQuiet(): void;
  /**
   * How long nobody has wanted each environment in any worker, in milliseconds; nothing while a
   * living worker has not said.
   */
  quietMs(): Record<string, number>;
  /** What has passed through each of these targets. */
  traffic(targets: readonly TargetName[]): TargetTraffic[];
  /** These are the targets there are: forgets what has passed through others. */
  keepTargets(targets: readonly TargetName[]): void;
  base(): KeptBase;
  living(): KeptWorker[];
  /** Whether the worker's counts are in the base. */
  hasFolded(worker: string): boolean;
}

export function ledger(kept: KeptBase | null): Ledger {
  const base = keyed(kept?.rows ?? []);
  const folded = [...(kept?.folded ?? [])];
  const accounts = new Map<string, Account>();
  const traffic = new Traffic();
  let unaccounted = kept?.unaccounted ?? 0;
  let turnedAway = kept?.turnedAway ?? 0;
  let cache = { ...kept?.cache };

  return {
    open(worker, before = { rows: [], ceiling: 0 }) {
      if (folded.includes(worker.name)) return false;
      accounts.set(worker.name, {
        worker,
        ceiling: before.ceiling,
        rows: keyed(before.rows),
        inFlight: 0,
        tunnels: 0,
        turnedAway: before.turnedAway ?? 0,
        cache: before.cache ?? {},
        waiting: {},
        wanted: [],
        quietMs: null,
      });
      return true;
    },
    ceiling(worker, accepted) {
      const account = accounts.get(worker);
      if (account) account.ceiling = Math.max(account.ceiling, accepted);
    },
    report(worker, report) {
      const account = accounts.get(worker);
      if (!account) return;
      if (report.complete) account.rows.clear();
      for (const [key, row] of keyed(report.rows)) account.rows.set(key, row);
      account.inFlight = report.inFlight;
      account.tunnels = report.tunnels;
      account.turnedAway = report.turnedAway ?? 0;
      account.cache = report.cache ?? {};
      account.waiting = report.waiting ?? null;
      account.wanted = report.wanted ?? [];
      account.quietMs = report.quietMs ?? null;
      if (report.traffic) traffic.told(worker, report.traffic);
    },
    fold(worker, orderly) {
      const account = accounts.get(worker);
      if (!account) return 0;
      accounts.delete(worker);
      addInto(base, account.rows.values());
      traffic.fold(worker);
      turnedAway += account.turnedAway;
      addCounts(cache, account.cache);
      const missing = orderly ? 0 : Math.max(0, account.ceiling - endedIn(account.rows.values()));
      unaccounted += missing;
      folded.push(worker);
      if (folded.length > REMEMBERED_NAMES) folded.shift();
      return missing;
    },
    merge(gone) {
      const rows = [...base.values()];
      base.clear();
      addInto(
        base,
        rows.map((row) => ({ ...row, ...placeAfter(row, gone) })),
      );
      cache = mergeCounts(cache, gone.environments);
    },
    read(at) {
      const rows = new Map(base);
      let inFlight = 0;
      let tunnels = 0;
      let away = turnedAway;
      const cached = { ...cache };
      for (const account of accounts.values()) {
        addInto(rows, account.rows.values());
        addCounts(cached, account.cache);
        inFlight += account.inFlight;
        tunnels += account.tunnels;
        away += account.turnedAway;
      }
      const told = { at, unaccounted, inFlight, tunnels, turnedAway: away, cache: cached };
      return { ...told, rows: [...rows.values()] };
    },
    waiting() {
      const total: Record<string, number> = {};
      for (const { waiting } of accounts.values()) {
        if (waiting === null) return null;
        for (const [environment, count] of Object.entries(waiting)) {
          total[environment] = (total[environment] ?? 0) + count;
        }
      }
      return total;
    },
    wanted: () => [...new Set([...accounts.values()].flatMap(({ wanted }) => wanted))].sort(),
    forgetQuiet() {
      for (const account of accounts.values()) account.quietMs = null;
    },
    quietMs: () => leastQuiet([...accounts.values()].map(({ quietMs }) => quietMs)),
    traffic: (targets) => traffic.read(targets),
    keepTargets: (targets) => traffic.keep(targets),
    base: () => ({
      rows: [...base.values()],
      unaccounted,
      turnedAway,
      cache: { ...cache },
      folded: [...folded],
    }),
    living: () =>
      [...accounts.values()].map(({ rows, ...account }) => ({
        worker: account.worker,
        ceiling: account.ceiling,
        rows: [...rows.values()],
        turnedAway: account.turnedAway,
        cache: account.cache,
      })),
    hasFolded: (worker) => folded.includes(worker),
  };
}

/** One worker that knows nothing of an environment may have just got its first request. */
function leastQuiet(
  told: readonly (Readonly<Record<string, number>> | null)[],
): Record<string, number> {
  const known = told.filter((each) => each !== null);
  if (known.length < told.length) return {};
  const environments = new Set(known.flatMap((each) => Object.keys(each)));
  return Object.fromEntries(
    [...environments].map((environment) => [
      environment,
      Math.min(...known.map((each) => each[environment] ?? 0)),
    ]),
  );
}

/** By their keys. Older versions told no answers, on disk and in workers that still live. */
function keyed(rows: readonly (Omit<LedgerRow, 'answers'> & Partial<LedgerRow>)[]) {
  return new Map<string, LedgerRow>(
    rows.map(({ answers = {}, ...row }) => [rowKey(row), { ...row, answers }]),
  );
}

function addInto(rows: Map<string, LedgerRow>, more: Iterable<LedgerRow>): void {
  for (const row of more) {
    const there = rows.get(rowKey(row));
    rows.set(rowKey(row), there ? addRows(there, row) : row);
  }
}

function endedIn(rows: Iterable<LedgerRow>): number {
  const total = noOutcomes();
  for (const row of rows) {
    for (const outcome of outcomes) total[outcome] += row.outcomes[outcome];
  }
  return outcomes.reduce((ended, outcome) => ended + total[outcome], 0);
}
