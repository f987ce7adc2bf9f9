import type { TargetTraffic } from '../../model/target.ts';
import type { WorkerReport } from '../link.ts';
import type { Account } from './account.ts';
import type { RoutingTable } from './routing-table.ts';

/** Everything, or what changed since it was last read, with the traffic by target or without. */
export type ReportExtent = 'everything' | 'changes' | 'changes-and-traffic';

/** Reads what a worker has counted, and remembers that it has been said. */
export function readReport(
  account: Account,
  table: RoutingTable,
  request: number | null,
  extent: ReportExtent,
): WorkerReport {
  const targets = new Map<string, WorkerReport['targets'][number]>();
  for (const target of table.targets()) {
    const justEmptied = target.reportedInFlight > 0 || target.reportedTunnels > 0;
    target.reportedInFlight = target.inFlight;
    target.reportedTunnels = target.tunnels;
    const { leftOut } = target.standing;
    if (target.empty && !justEmptied && leftOut === null) continue;
    // A target may have left and come back under its name: both are the same to whoever asks.
    const key = `${target.pool} ${target.id}`;
    const same = targets.get(key);
    targets.set(key, {
      pool: target.pool,
      target: target.id,
      inFlight: target.inFlight + (same?.inFlight ?? 0),
      tunnels: target.tunnels + (same?.tunnels ?? 0),
      ...(leftOut === null ? {} : { ejection: leftOut.description }),
    });
  }
  table.forgetEmpty();
  return {
    request,
    accepted: account.accepted,
    inFlight: account.inFlight,
    tunnels: account.tunnels,
    ...account.readRows(extent === 'everything' ? 'everything' : 'changes'),
    targets: [...targets.values()],
    ...(extent === 'changes' ? {} : { traffic: readTraffic(table) }),
  };
}

function readTraffic(table: RoutingTable): TargetTraffic[] {
  const traffic = new Map<string, TargetTraffic>();
  for (const { pool, id, traffic: counter } of table.targets()) {
    // Those in the snapshot come first: one that has left does not speak for one under its name.
    const key = `${pool} ${id}`;
    if (!counter.isEmpty && !traffic.has(key)) traffic.set(key, { pool, id, ...counter.read() });
  }
  return [...traffic.values()];
}
