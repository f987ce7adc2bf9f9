import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configurationSchema } from '../model/configuration.ts';
import { DEFAULT_EDGE_SETTINGS } from '../model/edge-settings.ts';
import { ledgerDifference } from '../model/ledger.ts';
import { sameContent } from '../model/release.ts';
import { DEFAULT_TRAFFIC } from '../model/traffic.ts';
import type { Store } from './driver.ts';
import { openSqliteStore } from './sqlite.ts';

const KEY = 'shop/production';

/** As version 0.1.0 wrote them, letter for letter. */
const environment =
  '{"key":"shop/production","application":"shop","name":"production","status":"ready","release":1,"capacity":{"min":2,"desired":3,"max":6},"createdAt":1769860788000}';
const release =
  '{"environment":"shop/production","number":1,"version":"v1","configuration":{"web":{"start":["node","server.js"],"upstream":null,"health":{"path":"/healthz","matcher":{"from":200,"to":399},"intervalMs":5000,"timeoutMs":2000,"healthyThreshold":2,"unhealthyThreshold":2},"capacity":{"min":2,"desired":3,"max":6},"zones":["a","b"],"limits":{"memoryBytes":null,"cpu":null},"variables":{},"stopGraceMs":10000,"drainMs":30000},"domains":["shop.localhost"],"rollout":{"policy":"rolling","batch":1,"extra":1,"healthyMs":200,"startTimeoutMs":60000,"keepMs":0}},"variables":{},"reason":"deploy","message":null,"createdAt":1769860788000}';
const deployment =
  '{"environment":"shop/production","number":1,"kind":"deploy","from":null,"to":1,"rollout":{"policy":"rolling","batch":1,"extra":1,"healthyMs":200,"startTimeoutMs":60000,"keepMs":0},"state":"running","cause":null,"logTail":[],"aborted":false,"startedAt":1769860788000,"turnedAt":null,"endedAt":null,"capacityBefore":{"min":2,"desired":3,"max":6},"ledgerAtStart":{"at":1769860788000,"rows":[{"pool":"shop/production#1","environment":"shop/production","release":1,"zone":"a","outcomes":{"ok":7,"app-error":0,"lost":0,"cut":0,"shed":0,"fixed":0,"cached":0,"refused":0,"client-aborted":0},"retried":0,"drained":0,"latency":[300,7]}],"unaccounted":0,"inFlight":0,"tunnels":0},"receipt":null}';

describe('a home of version 0.1.0', () => {
  let folder: string;
  let store: Store;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bs-'));
    const path = join(folder, 'belay.db');
    openSqliteStore(path).close();
    {
      using database = new DatabaseSync(path);
      database.exec(
        'drop table documents; drop table tickets; drop table scaling; drop table metrics; pragma user_version = 1',
      );
      database.prepare('insert into environments values (?, ?)').run(KEY, environment);
      database.prepare('insert into releases values (?, 1, ?)').run(KEY, release);
      database.prepare('insert into deployments values (?, 1, ?)').run(KEY, deployment);
    }
    store = openSqliteStore(path);
  });

  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  it('has releases whose traffic is treated by the defaults', () => {
    const [read] = store.releases(KEY);
    expect(read?.configuration.traffic).toEqual(DEFAULT_TRAFFIC);
    expect(read?.configuration.web.health).toMatchObject({ body: null, deepPath: null });
  });

  it('has environments that answer to their own names', () => {
    expect(store.environments()).toMatchObject([{ key: KEY, names: null, terminatedAt: null }]);
  });

  it('has releases of the same content as one that is deployed again now', () => {
    const [read] = store.releases(KEY);
    if (!read) throw new Error('the release is not there');
    const sent = JSON.parse(JSON.stringify(read.configuration)) as unknown;
    const again = { ...read, number: 2, configuration: configurationSchema.parse(sent) };
    expect(sameContent(read, again)).toBe(true);
  });

  it('has deployments that can still be accounted for', () => {
    const ledger = store.deployments(KEY, 1)[0]?.ledgerAtStart;
    if (!ledger) throw new Error('the reading is not there');
    const [row] = ledger.rows;
    const later = { ...ledger, rows: row ? [{ ...row, answers: { 'ok 2xx': 9 } }] : [] };
    expect(ledgerDifference(ledger, later).answers).toEqual({ 'ok 2xx': 9 });
  });

  it('takes settings of the edge, and keeps its key', () => {
    expect(store.edgeSettings()).toEqual(DEFAULT_EDGE_SETTINGS);
    store.saveEdgeSettings({ ...DEFAULT_EDGE_SETTINGS, workers: 2 });
    expect(store.edgeSettings().workers).toBe(2);
    expect(store.cookieKey('a')).toBe('a');
    expect(store.cookieKey('b')).toBe('a');
  });
});
