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

function settings(web: string): Map<string, string> {
  const imports = "import { app, cron, predict, step, track } from 'belay';\n";
  const text = `${imports}export default app('shop', { web: { start: 'node .', ${web} } });`;
  writeFileSync(join(directory, 'belay.config.ts'), text);
  return settingsOf(loadConfiguration(directory, 'production').configuration);
}

const policies = [
  'track.cpu(60)',
  "track.p99('300ms', { scaleIn: false })",
  "track.backlogPerInstance(100, { name: 'jobs', url: 'http://127.0.0.1:9100/jobs' })",
  "step('p99', { above: '500ms', for: '1m', steps: [{ to: 100, change: 1 }, { from: 100, change: '25%', atLeast: 2 }] })",
  "step('concurrency', { below: 2, steps: [{ exactly: 1 }] })",
  "cron('0 9 * * 1-5', { min: 4, until: '0 18 * * 1-5', timeZone: 'Europe/Berlin' })",
  "cron('0 12 24 12 *', { max: 8, for: '6h' })",
  'predict()',
  "predict({ mode: 'forecast-only' })",
];

it('writes policies as they are written in the file', () => {
  const shown = settings(`capacity: { max: 20 }, scaling: [${policies.join(', ')}]`);
  expect([...shown].filter(([key]) => key.startsWith('web.scaling.policies'))).toEqual(
    policies.map((policy, index) => [`web.scaling.policies[${index}]`, policy]),
  );
});

it('tells all that is said of capacity', () => {
  const shown = settings(`
    concurrency: 2, health: { replace: 'deep', grace: '30s' },
    capacity: { min: 0, size: 'small', warm: 1, terminate: ['zone', 'newest'], idle: '15m' },
    scaling: { policies: [track.cpu(60)], cooldown: '1m', maxOut: '200%' },
    lifecycle: { terminating: { heartbeat: '10m', otherwise: 'continue' } }`);
  expect(Object.fromEntries(shown)).toMatchObject({
    'web.concurrency': '2',
    'web.health.replace': 'deep',
    'web.health.grace': '30s',
    'web.capacity.size': 'small',
    'web.capacity.warm': '1',
    'web.capacity.terminate': 'zone, newest',
    'web.capacity.idle': '15m',
    'web.scaling.cooldown': '1m',
    'web.scaling.maxOut': '200%',
    'web.scaling.minHealthy': '90%',
    'web.lifecycle.terminating': "{ heartbeat: '10m', otherwise: 'continue' }",
  });
});
