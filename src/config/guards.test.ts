import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import type { Guard } from '../model/guard.ts';
import { loadConfiguration } from './load.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'belay-guards-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function guardsOf(edge: string, staging = '{}', environment = 'production'): Guard[] {
  const spec = `{ web: { start: 'node .' }, edge: ${edge}, environments: { staging: { edge: ${staging} } } }`;
  const text = `import { app } from 'belay';\nexport default app('shop', ${spec});\n`;
  writeFileSync(join(root, 'belay.config.ts'), text);
  return loadConfiguration(root, environment).configuration.traffic.guards;
}

const open = { signed: false, referers: null, bots: null, rate: null };

test.each<[written: string, read: Partial<Guard>]>([
  ['false', {}],
  ['{}', {}],
  ['{ signed: true }', { signed: true }],
  ['{ referers: true }', { referers: { hosts: [], strict: false } }],
  ['{ referers: false }', {}],
  ["{ referers: ['*.x.example'] }", { referers: { hosts: ['*.x.example'], strict: false } }],
  ['{ referers: { strict: true } }', { referers: { hosts: [], strict: true } }],
  ["{ bots: ['GPTBot'] }", { bots: { refuse: ['gptbot'], allow: [], nameless: true } }],
  ['{ bots: { nameless: false } }', { bots: { refuse: [], allow: [], nameless: false } }],
  [
    "{ bots: { refuse: ['Bot'], allow: ['Googlebot'] } }",
    { bots: { refuse: ['bot'], allow: ['googlebot'], nameless: true } },
  ],
  ['{ rate: 2.5 }', { rate: { requestsPerSecond: 2.5, burst: 3 } }],
  ['{ rate: { requestsPerSecond: 5, burst: 50 } }', { rate: { requestsPerSecond: 5, burst: 50 } }],
])('%s is read', (written, read) => {
  const path = '/videos/*';
  expect(guardsOf(`{ guard: { '${path}': ${written} } }`)).toEqual([{ path, ...open, ...read }]);
});

it('is off where nothing is said, and where that is said', () => {
  expect(guardsOf('{}')).toEqual([]);
  expect(guardsOf('{ guard: false }')).toEqual([]);
});

it('merges an environment’s guards path by path, its own paths first', () => {
  const shared = "{ guard: { '/b/*': { signed: true }, '/*': { rate: 5 } } }";
  const pathsOf = (staging: string) =>
    guardsOf(shared, staging, 'staging').map(({ path, signed }) => `${path} ${signed}`);
  expect(pathsOf('{}')).toEqual(['/b/* true', '/* false']);
  expect(pathsOf("{ guard: { '/b/*': false, '/a': { signed: true } } }")).toEqual([
    '/a true',
    '/b/* false',
    '/* false',
  ]);
  expect(pathsOf('{ guard: false }')).toEqual([]);
});
