import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfiguration } from '../config/load.ts';
import { settingsOf } from './settings.ts';

let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'belay-settings-')), 'shop');
  mkdirSync(directory);
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

function settings(edge: string): [string, string][] {
  const spec = `{ web: { start: 'node .' }, edge: { ${edge} } }`;
  const text = `import { app } from 'belay';\nexport default app('shop', ${spec});`;
  writeFileSync(join(directory, 'belay.config.ts'), text);
  const shown = settingsOf(loadConfiguration(directory, 'production').configuration);
  return [...shown].filter(([key]) => key.startsWith('edge.cache'));
}

it('says that nothing is kept, or what the app allows', () => {
  expect(settings('')).toEqual([['edge.cache', 'false']]);
  expect(settings("cache: true, cacheOnDeploy: 'purge'")).toEqual([
    ['edge.cache', 'true'],
    ['edge.cacheOnDeploy', 'purge'],
  ]);
});

it('writes rules as they are written in the file, in the order in which they count', () => {
  const rules = {
    '/admin/*': 'false',
    '/live': 'true',
    '/assets/*': '1d',
    '/api/*':
      "{ ttl: { min: '10s', default: '1m', max: '1h' }, key: { query: ['page'], headers: ['accept-language'], cookies: ['currency'] }, stale: { whileRevalidate: '30s', ifError: '0s' }, errors: '10s', heuristics: true, tags: ['catalog'] }",
    '/list': "{ key: { query: { except: ['utm_*'] } } }",
    '/feed': "{ ttl: '1m', key: { query: 'none' } }",
    '/never': "{ ttl: { max: '0s' } }",
  };
  const written = Object.entries(rules).map(
    ([path, rule]) => `'${path}': ${/^\d/.test(rule) ? `'${rule}'` : rule}`,
  );
  expect(settings(`cache: { ${written.join(', ')} }`)).toEqual([
    ['edge.cache', Object.keys(rules).join(', ')],
    ...Object.entries(rules).map(([path, rule]) => [`edge.cache.${path}`, rule]),
    ['edge.cacheOnDeploy', 'switch'],
  ]);
});
