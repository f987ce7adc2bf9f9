import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../kernel/fault.ts';
import { NO_CACHE_PURGES } from '../model/cache-purges.ts';
import type { Environment } from '../model/environment.ts';
import type { Instance } from '../model/instance.ts';
import type { Step } from '../model/step.ts';
import type { Store } from './driver.ts';
import { openSqliteStore } from './sqlite.ts';

const KEY = 'shop/production';
const step: Step = { kind: 'admit', instance: 'i-00000001', reason: 'passed its health check' };

const environment = (key = KEY): Environment => ({
  key,
  application: key.split('/')[0] ?? '',
  name: key.split('/')[1] ?? '',
  status: 'ready',
  release: 1,
  capacity: { min: 1, desired: 2, max: 3 },
  names: null,
  createdAt: 0,
  terminatedAt: null,
  cachePurges: NO_CACHE_PURGES,
});

const instance = (id: string, state: Instance['state'], since: number): Instance => ({
  id,
  environment: KEY,
  release: 1,
  zone: 'a',
  state,
  reason: '',
  createdAt: 0,
  since,
  inServiceAt: null,
  unroutedBy: null,
  exit: null,
});

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'nothing thrown';
  } catch (thrown) {
    return thrown instanceof Fault ? thrown.code : String(thrown);
  }
}

describe('the store on SQLite', () => {
  let folder: string;
  let path: string;
  const open: Store[] = [];
  const openStore = (): Store => {
    const store = openSqliteStore(path);
    open.push(store);
    return store;
  };
  const reopened = (): Store => {
    for (const store of open.splice(0)) store.close();
    return openStore();
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bs-'));
    path = join(folder, 'belay.db');
  });

  afterEach(() => {
    for (const store of open.splice(0)) store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps what it was given, whole, over its lives', () => {
    const store = openStore();
    store.saveEnvironment(environment());
    store.saveEnvironment({ ...environment(), release: 2 });
    store.saveInstance(instance('i-00000001', 'in-service', 5));
    const again = reopened();
    expect(again.environments()).toEqual([{ ...environment(), release: 2 }]);
    expect(again.instance('i-00000001')).toEqual(instance('i-00000001', 'in-service', 5));
    expect(again.instance('i-00000002')).toBeNull();
  });

  it('writes all of a transaction or nothing', () => {
    const store = openStore();
    store.transaction(() => {
      store.saveEnvironment(environment('a/production'));
      store.saveEnvironment(environment('b/production'));
    });
    const failing = () =>
      store.transaction(() => {
        store.saveEnvironment(environment('c/production'));
        store.transaction(() => store.saveEnvironment(environment('d/production')));
        throw new Fault({ code: 'disk-full', message: 'no room' });
      });
    expect(codeOf(failing)).toBe('disk-full');
    expect(
      reopened()
        .environments()
        .map(({ key }) => key),
    ).toEqual(['a/production', 'b/production']);
  });

  it('shows live instances, and ended ones only for as long as they are asked for', () => {
    const store = openStore();
    store.saveInstance(instance('i-00000001', 'in-service', 1));
    store.saveInstance(instance('i-00000002', 'terminated', 10));
    store.saveInstance(instance('i-00000003', 'terminated', 20));
    const ids = (since: number) => store.instances(KEY, since).map(({ id }) => id);
    expect(ids(0)).toEqual(['i-00000001', 'i-00000002', 'i-00000003']);
    expect(ids(15)).toEqual(['i-00000001', 'i-00000003']);
    expect(ids(30)).toEqual(['i-00000001']);
  });

  it('has each step in the journal before it is done, and says which were interrupted', () => {
    const store = openStore();
    const done = store.planStep(KEY, 1, step, 100);
    store.endStep(done, 'done', 110, null);
    const failed = store.planStep(KEY, 1, step, 120);
    store.endStep(failed, 'failed', 130, 'no free port');
    store.planStep(KEY, 1, step, 140);
    store.planStep(KEY, null, step, 150);
    const again = reopened();
    expect(again.interruptOpenSteps(200)).toBe(2);
    expect(again.interruptOpenSteps(300)).toBe(0);
    expect(again.steps(KEY, 1).map(({ state, endedAt, error }) => [state, endedAt, error])).toEqual(
      [
        ['done', 110, null],
        ['failed', 130, 'no free port'],
        ['interrupted', 200, null],
      ],
    );
  });

  it('replays events after a number, oldest first, in one environment or in all', () => {
    const store = openStore();
    const say = (message: string, of: string) =>
      store.appendEvent({ severity: 'info', type: 't', message, environment: of }, 1).id;
    const ids = ['a', 'b', 'c', 'd'].map((message, index) =>
      say(message, index % 2 === 0 ? KEY : 'blog/production'),
    );
    const again = reopened();
    const told = (query: Parameters<Store['events']>[0]) =>
      again.events(query).map(({ message }) => message);
    expect(told({ after: 0, limit: 10 })).toEqual(['a', 'b', 'c', 'd']);
    expect(told({ after: ids[1] ?? 0, limit: 10 })).toEqual(['c', 'd']);
    expect(told({ after: 0, limit: 2 })).toEqual(['c', 'd']);
    expect(told({ environment: KEY, after: 0, limit: 10 })).toEqual(['a', 'c']);
    const next = again.appendEvent({ severity: 'info', type: 't', message: 'e' }, 2);
    expect(next.id).toBeGreaterThan(ids[3] ?? 0);
  });

  it('numbers snapshots upwards over its lives, and follows an edge that is ahead', () => {
    const store = openStore();
    const first = store.nextSnapshotNumber(1);
    expect(store.nextSnapshotNumber(1)).toBe(first + 1);
    const again = reopened();
    expect(again.nextSnapshotNumber(1)).toBe(first + 2);
    expect(again.nextSnapshotNumber(500)).toBe(500);
    expect(again.nextSnapshotNumber(1)).toBe(501);
  });

  it('refuses a second daemon on the same home, and lets the next in after the first', () => {
    const store = openStore();
    expect(codeOf(() => openSqliteStore(path))).toBe('home-in-use');
    store.saveEnvironment(environment());
    expect(reopened().environments()).toHaveLength(1);
  });

  it('refuses a home that a newer Belay has written', () => {
    reopened();
    for (const store of open.splice(0)) store.close();
    const database = new DatabaseSync(path);
    database.exec('pragma user_version = 1000');
    database.close();
    expect(codeOf(openStore)).toBe('home-newer');
    // It was refused and let go: the newer one can have it.
    new DatabaseSync(path).close();
  });

  it('can be read by its owner alone, also one that could be by others', () => {
    const modes = () =>
      [path, `${path}-wal`].map((each) => (statSync(each).mode & 0o777).toString(8));
    openStore().saveEnvironment(environment());
    expect(modes()).toEqual(['600', '600']);
    chmodSync(path, 0o644);
    reopened().saveEnvironment(environment());
    expect(modes()).toEqual(['600', '600']);
  });

  it('says that a home cannot be written', () => {
    writeFileSync(join(folder, 'file'), '');
    const below = join(folder, 'file', 'belay.db');
    expect(codeOf(() => openSqliteStore(below))).toBe('home-not-writable');
  });

  it('has after a kill -9 what a write had returned from, and none of an open transaction', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer], {
      env: { ...process.env, STORE: join(import.meta.dirname, 'sqlite.ts'), DATABASE: path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    await once(child.stdout, 'data');
    // Another process holds the lock for as long as it lives.
    expect(codeOf(() => openSqliteStore(path))).toBe('home-in-use');
    child.kill('SIGKILL');
    await gone;
    const store = openStore();
    expect(store.environments().map(({ key }) => key)).toEqual(['kept/production']);
    expect(store.interruptOpenSteps(0)).toBe(1);
  });
});

/** Writes, says so in the middle of a transaction, and hangs there. */
const writer = `
const { openSqliteStore } = await import(process.env.STORE);
const { writeSync } = await import('node:fs');
const store = openSqliteStore(process.env.DATABASE);
const environment = (key) => ({ key });
store.saveEnvironment(environment('kept/production'));
store.planStep('kept/production', null, { kind: 'terminated', reason: 'x' }, 1);
store.transaction(() => {
  store.saveEnvironment(environment('lost/production'));
  writeSync(1, 'written');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000);
});
`;
