import type { SQLInputValue } from 'node:sqlite';
import type { GroupPoint } from '../model/metrics.ts';
import type { Store } from './driver.ts';

/** What environments have done, by the minute: small rows, and many of them. */

type Run = (sql: string, ...values: SQLInputValue[]) => unknown;
type Rows = (sql: string, ...values: SQLInputValue[]) => Record<string, unknown>[];

export const METRICS_TABLE = `create table metrics (
  environment text not null, at integer not null, instances integer not null,
  cpu real, memory real, requests real, errors real, concurrency real, waiting real,
  p50 real, p99 real, reported text,
  primary key (environment, at)
) strict, without rowid;`;

/** What the edge answers by itself was not there at first. */
export const METRICS_OF_CACHES = 'alter table metrics add column cached real;';

export function metricRows(
  run: Run,
  rows: Rows,
): Pick<Store, 'saveMinute' | 'minutes' | 'forgetMinutes'> {
  return {
    saveMinute(environment, point) {
      const { reported } = point;
      run(
        'insert or replace into metrics values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        environment,
        point.at,
        point.instances,
        point.cpuPercent,
        point.memoryBytes,
        point.requestsPerMinute,
        point.errorsPerMinute,
        point.concurrency,
        point.waiting,
        point.p50Ms,
        point.p99Ms,
        Object.keys(reported).length === 0 ? null : JSON.stringify(reported),
        point.cachedPerMinute,
      );
    },
    minutes: (environment, from, to) =>
      rows(
        'select * from metrics where environment = ? and at between ? and ? order by at',
        environment,
        from,
        to,
      ).map(pointOf),
    forgetMinutes(before, after) {
      run('delete from metrics where at < ? or at > ?', before, after);
    },
  };
}

const NOTHING_REPORTED = {};

const pointOf = (row: Record<string, unknown>): GroupPoint => ({
  at: Number(row.at),
  instances: Number(row.instances),
  cpuPercent: row.cpu as number | null,
  memoryBytes: row.memory as number | null,
  requestsPerMinute: row.requests as number | null,
  errorsPerMinute: row.errors as number | null,
  cachedPerMinute: row.cached as number | null,
  concurrency: row.concurrency as number | null,
  waiting: row.waiting as number | null,
  p50Ms: row.p50 as number | null,
  p99Ms: row.p99 as number | null,
  reported: row.reported === null ? NOTHING_REPORTED : JSON.parse(String(row.reported)),
});
