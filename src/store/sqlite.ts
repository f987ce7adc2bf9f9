import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import type { BelayEvent } from '../model/event.ts';
import { type Instance, isLive } from '../model/instance.ts';
import type { Release } from '../model/release.ts';
import type { JournalEntry, Step } from '../model/step.ts';
import type { Ticket } from '../model/ticket.ts';
import type { Version } from '../model/version.ts';
import { documents } from './documents.ts';
import type { Store } from './driver.ts';
import {
  completeDeployment,
  completeEnvironment,
  completeRelease,
  completeTicket,
} from './earlier-rows.ts';
import { METRICS_OF_CACHES, METRICS_TABLE, metricRows } from './metric-rows.ts';
import { makeOwnFile } from './own-file.ts';
import { savedConfigurationRows } from './saved-configurations.ts';
import { SCALING_TABLE, scalingRows } from './scaling-rows.ts';

/** Events older than the newest so many are dropped now and then. */
const EVENTS_KEPT = 100_000;

/**
 * What each version of the tables has beyond the one before, the first at the front; an older Belay
 * refuses a newer home.
 */
const SCHEMA_CHANGES = [
  `
  create table meta (name text primary key, value integer not null) strict;
  create table environments (key text primary key, body text not null) strict;
  create table versions (
    application text not null, label text not null, created_at integer not null, body text not null,
    primary key (application, label)
  ) strict;
  create table releases (
    environment text not null, number integer not null, body text not null,
    primary key (environment, number)
  ) strict;
  create table instances (
    id text primary key, environment text not null, live integer not null, since integer not null,
    body text not null
  ) strict;
  create index instances_by_environment on instances (environment, live, since);
  create table deployments (
    environment text not null, number integer not null, body text not null,
    primary key (environment, number)
  ) strict;
  create table journal (
    id integer primary key, environment text not null, deployment integer, step text not null,
    state text not null, planned_at integer not null, ended_at integer, error text
  ) strict;
  create index journal_by_deployment on journal (environment, deployment);
  create index journal_open on journal (state) where state = 'planned';
  create table events (
    id integer primary key autoincrement, at integer not null, environment text, severity text not null,
    type text not null, message text not null, instance text, deployment integer
  ) strict;
  create index events_by_environment on events (environment, id);
  `,
  'create table documents (name text primary key, body text not null) strict;',
  `create table tickets (
    environment text not null, number integer not null, body text not null,
    primary key (environment, number)
  ) strict;`,
  SCALING_TABLE,
  METRICS_TABLE,
  METRICS_OF_CACHES,
];
const SCHEMA_VERSION = SCHEMA_CHANGES.length;

/**
 * The store on SQLite: write-ahead log, every commit synced. The exclusive lock makes it the lock
 * of the home too: one daemon to each.
 *
 * @param path a file, or `:memory:`
 * @throws `home-in-use`, `home-newer`, `home-not-writable`
 */
export function openSqliteStore(path: string): Store {
  const database = openExclusively(path);
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  const prepared = (sql: string) => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const run = (sql: string, ...values: SQLInputValue[]) => prepared(sql).run(...values);
  const rows = (sql: string, ...values: SQLInputValue[]) => prepared(sql).all(...values);
  const bodies = <T>(sql: string, ...values: SQLInputValue[]): T[] =>
    rows(sql, ...values).map((row) => JSON.parse(String(row.body)) as T);
  let depth = 0;

  return {
    transaction(work) {
      if (depth > 0) return work();
      run('begin immediate');
      depth += 1;
      try {
        const result = work();
        run('commit');
        return result;
      } catch (fault) {
        run('rollback');
        throw fault;
      } finally {
        depth -= 1;
      }
    },

    environments: () =>
      bodies<Environment>('select body from environments order by key').map(completeEnvironment),
    saveEnvironment(environment) {
      run(
        'insert into environments values (?, ?) on conflict do update set body = excluded.body',
        environment.key,
        JSON.stringify(environment),
      );
    },

    versions: (application) =>
      bodies<Version>(
        'select body from versions where application = ? order by created_at desc, rowid desc',
        application,
      ),
    saveVersion(version) {
      run(
        'insert into versions values (?, ?, ?, ?)',
        version.application,
        version.label,
        version.createdAt,
        JSON.stringify(version),
      );
    },

    releases: (environment) =>
      bodies<Release>(
        'select body from releases where environment = ? order by number desc',
        environment,
      ).map(completeRelease),
    saveRelease(release) {
      run(
        'insert into releases values (?, ?, ?)',
        release.environment,
        release.number,
        JSON.stringify(release),
      );
    },

    instances: (environment, since) =>
      bodies<Instance>(
        'select body from instances where environment = ? and (live = 1 or since >= ?) order by rowid',
        environment,
        since,
      ),
    instance: (id) => bodies<Instance>('select body from instances where id = ?', id)[0] ?? null,
    saveInstance(instance) {
      run(
        `insert into instances values (?, ?, ?, ?, ?)
         on conflict do update set live = excluded.live, since = excluded.since, body = excluded.body`,
        instance.id,
        instance.environment,
        isLive(instance) ? 1 : 0,
        instance.since,
        JSON.stringify(instance),
      );
    },

    deployments: (environment, limit) =>
      bodies<Deployment>(
        'select body from deployments where environment = ? order by number desc limit ?',
        environment,
        limit,
      ).map(completeDeployment),
    saveDeployment(deployment) {
      run(
        `insert into deployments values (?, ?, ?)
         on conflict do update set body = excluded.body`,
        deployment.environment,
        deployment.number,
        JSON.stringify(deployment),
      );
    },

    tickets: (environment, limit) =>
      bodies<Ticket>(
        'select body from tickets where environment = ? order by number desc limit ?',
        environment,
        limit,
      ).map(completeTicket),
    saveTicket(ticket) {
      run(
        `insert into tickets values (?, ?, ?)
         on conflict do update set body = excluded.body`,
        ticket.environment,
        ticket.number,
        JSON.stringify(ticket),
      );
    },

    planStep(environment, deployment, step, at) {
      const result = run(
        `insert into journal (environment, deployment, step, state, planned_at)
         values (?, ?, ?, 'planned', ?)`,
        environment,
        deployment,
        JSON.stringify(step),
        at,
      );
      return Number(result.lastInsertRowid);
    },
    endStep(id, state, at, error) {
      run(
        'update journal set state = ?, ended_at = ?, error = ? where id = ?',
        state,
        at,
        error,
        id,
      );
    },
    interruptOpenSteps(at) {
      const result = run(
        `update journal set state = 'interrupted', ended_at = ? where state = 'planned'`,
        at,
      );
      return Number(result.changes);
    },
    steps: (environment, deployment) =>
      rows(
        'select * from journal where environment = ? and deployment = ? order by id',
        environment,
        deployment,
      ).map((row) => ({
        id: Number(row.id),
        environment: String(row.environment),
        deployment: row.deployment === null ? null : Number(row.deployment),
        step: JSON.parse(String(row.step)) as Step,
        state: String(row.state) as JournalEntry['state'],
        plannedAt: Number(row.planned_at),
        endedAt: row.ended_at === null ? null : Number(row.ended_at),
        error: row.error === null ? null : String(row.error),
      })),

    appendEvent(event, at) {
      const { severity, type, message } = event;
      const environment = event.environment ?? null;
      const instance = event.instance ?? null;
      const deployment = event.deployment ?? null;
      const result = run(
        `insert into events (at, environment, severity, type, message, instance, deployment)
         values (?, ?, ?, ?, ?, ?, ?)`,
        at,
        environment,
        severity,
        type,
        message,
        instance,
        deployment,
      );
      const id = Number(result.lastInsertRowid);
      if (id % 1_000 === 0) run('delete from events where id <= ?', id - EVENTS_KEPT);
      return { id, at, environment, severity, type, message, instance, deployment };
    },
    events({ environment, after, limit }) {
      const where = environment === undefined ? '' : 'and environment = ?';
      const values = environment === undefined ? [] : [environment];
      return rows(
        `select * from events where id > ? ${where} order by id desc limit ?`,
        after,
        ...values,
        limit,
      )
        .reverse()
        .map(
          (row): BelayEvent => ({
            id: Number(row.id),
            at: Number(row.at),
            environment: row.environment === null ? null : String(row.environment),
            severity: String(row.severity) as BelayEvent['severity'],
            type: String(row.type),
            message: String(row.message),
            instance: row.instance === null ? null : String(row.instance),
            deployment: row.deployment === null ? null : Number(row.deployment),
          }),
        );
    },

    ...savedConfigurationRows(run, bodies),

    ...documents(run, bodies),

    ...scalingRows(run, bodies),

    ...metricRows(run, rows),

    applications: () =>
      rows('select distinct application from versions order by application').map((row) =>
        String(row.application),
      ),

    nextSnapshotNumber(atLeast) {
      const [row] = rows(
        `insert into meta values ('snapshot', ?)
         on conflict do update set value = max(value + 1, excluded.value) returning value`,
        atLeast,
      );
      return Number(row?.value);
    },

    forgetBefore(at) {
      run('delete from instances where live = 0 and since < ?', at);
      run(
        `delete from journal where deployment is null and state <> 'planned' and ended_at < ?`,
        at,
      );
      run('delete from scaling where at < ?', at);
      // The newest stays, so that no number is given twice.
      run(
        `delete from tickets where body ->> 'endedAt' < ? and number <
         (select max(number) from tickets each where each.environment = tickets.environment)`,
        at,
      );
    },

    close() {
      statements.clear();
      database.close();
    },
  };
}

function openExclusively(path: string): DatabaseSync {
  const database = openDatabase(path);
  try {
    database.exec('pragma locking_mode = exclusive');
    database.exec('pragma journal_mode = wal');
    database.exec('pragma synchronous = full');
    database.exec('begin exclusive; commit');
  } catch (cause) {
    database.close();
    if (/locked|busy/.test(messageOf(cause))) {
      throw new Fault({
        code: 'home-in-use',
        message: 'another daemon runs on this home',
        subject: path,
        hint: 'see it with: belay daemon status',
        cause,
      });
    }
    throw notWritable(path, cause);
  }
  migrate(database, path);
  return database;
}

function openDatabase(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') makeOwnFile(path);
    return new DatabaseSync(path);
  } catch (cause) {
    throw notWritable(path, cause);
  }
}

function notWritable(path: string, cause: unknown): Fault {
  return new Fault({
    code: 'home-not-writable',
    message: `Belay's home cannot be written: ${messageOf(cause)}`,
    subject: dirname(path),
    hint: 'make it writable for you, or set BELAY_HOME to a directory of your own',
    cause,
  });
}

function migrate(database: DatabaseSync, path: string): void {
  const row = database.prepare('pragma user_version').get();
  const found = Number(row?.user_version ?? 0);
  if (found > SCHEMA_VERSION) {
    database.close();
    throw new Fault({
      code: 'home-newer',
      message: `this home was written by a newer Belay (its schema is ${found}, this one knows ${SCHEMA_VERSION})`,
      subject: dirname(path),
      hint: 'install the newer Belay again, or set BELAY_HOME to another directory',
      details: { found, known: SCHEMA_VERSION },
    });
  }
  if (found === SCHEMA_VERSION) return;
  const changes = SCHEMA_CHANGES.slice(found).join('\n');
  database.exec(`begin; ${changes} pragma user_version = ${SCHEMA_VERSION}; commit`);
}
