import type { SQLInputValue } from 'node:sqlite';
import type { ScalingMemory, ScalingRecord } from '../model/scaling-decision.ts';
import type { Store } from './driver.ts';

/** Decisions on capacity, and what is remembered from one to the next. */

/** Of each environment: what a month of ordinary days needs, and a bound for those that are not. */
const RECORDS_KEPT = 10_000;
/** How often it is looked whether there are more. */
const RECORDS_BETWEEN_PRUNINGS = 100;

type Run = (sql: string, ...values: SQLInputValue[]) => { lastInsertRowid: number | bigint };
type Bodies = <T>(sql: string, ...values: SQLInputValue[]) => T[];

export const SCALING_TABLE = `create table scaling (
  id integer primary key, environment text not null, at integer not null, body text not null
) strict;
create index scaling_by_environment on scaling (environment, id);`;

export function scalingRows(
  run: Run,
  bodies: Bodies,
): Pick<
  Store,
  | 'scalingMemory'
  | 'saveScalingMemory'
  | 'scalingRecords'
  | 'addScalingRecord'
  | 'saveScalingRecord'
> {
  return {
    scalingMemory: (environment) =>
      bodies<ScalingMemory>('select body from documents where name = ?', nameOf(environment))[0] ??
      null,
    saveScalingMemory(environment, memory) {
      run(
        'insert into documents values (?, ?) on conflict do update set body = excluded.body',
        nameOf(environment),
        JSON.stringify(memory),
      );
    },

    scalingRecords: (environment, limit) =>
      bodies<ScalingRecord>(
        'select body from scaling where environment = ? order by id desc limit ?',
        environment,
        limit,
      ),
    addScalingRecord(environment, record) {
      const { lastInsertRowid } = run(
        'insert into scaling (environment, at, body) values (?, ?, ?)',
        environment,
        record.at,
        JSON.stringify(record),
      );
      const id = Number(lastInsertRowid);
      if (id % RECORDS_BETWEEN_PRUNINGS === 0) {
        run(
          `delete from scaling where environment = ? and id <= (select id from scaling
           where environment = ? order by id desc limit 1 offset ?)`,
          environment,
          environment,
          RECORDS_KEPT,
        );
      }
      return id;
    },
    saveScalingRecord(id, record) {
      run(
        'update scaling set at = ?, body = ? where id = ?',
        record.at,
        JSON.stringify(record),
        id,
      );
    },
  };
}

const nameOf = (environment: string): string => `scaling:${environment}`;
