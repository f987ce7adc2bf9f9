import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Log, silentLog } from '../../kernel/log.ts';
import { DEFAULT_EDGE_SETTINGS } from '../../model/edge-settings.ts';
import { emptyRow } from '../../model/ledger.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { edgeHome } from '../home.ts';
import { KeptState } from './kept-state.ts';
import { ledger } from './ledger.ts';

/** What lies in a home after an earlier version. */

const HEALTH = {
  path: '/healthz',
  matcher: { from: 200, to: 299 },
  intervalMs: 1_000,
  timeoutMs: 500,
  healthyThreshold: 2,
  unhealthyThreshold: 2,
};
const TARGET = {
  id: 'i-00000001',
  host: '127.0.0.1',
  port: 8_001,
  zone: 'a',
  state: 'active',
  drainUntil: null,
};
/** As 0.1.0 wrote it. */
const OLD_SNAPSHOT = {
  number: 7,
  rules: [
    {
      hosts: ['shop.localhost'],
      environment: 'shop/production',
      forward: [{ pool: 'shop/production#1', weight: 1 }],
    },
  ],
  pools: [
    {
      id: 'shop/production#1',
      environment: 'shop/production',
      release: 1,
      health: HEALTH,
      targets: [TARGET],
    },
  ],
};

/** A home with these files, and what is logged as they are read. */
function homeWith(files: Partial<Record<'snapshot' | 'ledger' | 'living', string>>) {
  const root = mkdtempSync(join(tmpdir(), 'kept-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const home = edgeHome(root);
  mkdirSync(home.directory);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(home.directory, `${name}.json`), text);
  }
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (_: unknown, text = '') => void errors.push(text) };
  return { kept: new KeptState(home, log), errors };
}

it('reads a snapshot of 0.1.0 with the defaults of what it did not know', () => {
  const { kept, errors } = homeWith({ snapshot: JSON.stringify(OLD_SNAPSHOT) });
  const snapshot = kept.snapshot();
  expect(snapshot).toMatchObject({ ...OLD_SNAPSHOT, settings: DEFAULT_EDGE_SETTINGS });
  expect(snapshot?.rules[0]?.admission).toEqual(DEFAULT_TRAFFIC.admission);
  expect(snapshot?.pools[0]?.balancing).toEqual(DEFAULT_TRAFFIC.balancing);
  expect(errors).toEqual([]);
});

it('reads settings that lack what their version did not know', () => {
  const { connections, connectionsPerClient, ...known } = DEFAULT_EDGE_SETTINGS;
  const settings = { ...known, idleMs: 12_345 };
  const { kept, errors } = homeWith({ snapshot: JSON.stringify({ ...OLD_SNAPSHOT, settings }) });
  expect(kept.snapshot()?.settings).toEqual({ ...settings, connections, connectionsPerClient });
  expect(errors).toEqual([]);
});

it.each([
  ['is no snapshot', JSON.stringify({ ...OLD_SNAPSHOT, number: 'seven' })],
  ['is of a later version', JSON.stringify({ ...OLD_SNAPSHOT, mirrors: [] })],
  ['is no JSON', '{"number":'],
])('leaves out a snapshot that %s, and says so', (_, text) => {
  const { kept, errors } = homeWith({ snapshot: text });
  expect(kept.snapshot()).toBeNull();
  expect(errors).toEqual(['the kept snapshot cannot be read']);
});

it('has no snapshot, and no complaint, in a new home', () => {
  const { kept, errors } = homeWith({});
  expect([kept.snapshot(), errors]).toEqual([null, []]);
});

it('goes on counting from rows of 0.1.0, which told no answers', () => {
  const { answers: _, ...oldRow } = emptyRow('shop/production');
  const worker = { name: 'a', process: { pid: 1, startTicks: 1 }, generation: 1 };
  const { kept } = homeWith({
    ledger: JSON.stringify({ rows: [oldRow], unaccounted: 0, folded: [] }),
    living: JSON.stringify([{ worker, ceiling: 64, rows: [oldRow] }]),
  });
  const account = ledger(kept.ledger());
  for (const living of kept.workers()) account.open(living.worker, living);
  const told = { ...emptyRow('shop/production'), answers: { 'ok 2xx': 3 } };
  account.report('a', {
    request: null,
    accepted: 3,
    inFlight: 0,
    tunnels: 0,
    rows: [told],
    complete: false,
    targets: [],
  });
  account.fold('a', true);
  expect(account.read(0).rows).toEqual([told]);
});
