import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfiguration } from '../config/load.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, environmentOf, NOW } from './scripted-views.ts';

let daemon: ScriptedDaemon;
let app: string;

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    environment: environmentOf(),
    daemon: daemonOf(),
  });
  await daemon.start();
  app = join(daemon.home.root, 'my-app');
  mkdirSync(app);
});
afterEach(() => daemon.close());

describe('run', () => {
  test('runs where the code lies, with the variables, and passes the exit code on', async () => {
    writeFileSync(join(app, 'package.json'), '{"scripts":{"start":"node server.js"}}');
    const { configuration } = loadConfiguration(app, 'production');
    daemon.script.release = {
      ...{ environment: 'shop/production', number: 4, version: 'v3', reason: 'deploy' },
      ...{ message: null, createdAt: NOW, configuration, variables: { WORD: 'hello' } },
      directory: app,
    };
    const script = "require('fs').writeFileSync('word', process.env.WORD); process.exit(7)";
    const { code } = await belay(daemon, ['run', '--', process.execPath, '-e', script]);
    expect(code).toBe(7);
    expect(readFileSync(join(app, 'word'), 'utf8')).toBe('hello');
    const missing = await belay(daemon, ['run', '--', 'no-such-program']);
    expect(missing.code).toBe(64);
    expect(missing.err).toContain("'no-such-program' was not found");
  });

  test('gives what it takes to sign, where something has to be signed for', async () => {
    const guard = "edge: { guard: { '/videos/*': { signed: true } } }";
    writeFileSync(
      join(app, 'belay.config.ts'),
      `import { app } from 'belay';\nexport default app('shop', { web: { start: 'node .' }, ${guard} });\n`,
    );
    const { configuration } = loadConfiguration(app, 'production');
    daemon.script.release = {
      ...{ environment: 'shop/production', number: 4, version: 'v3', reason: 'deploy' },
      ...{ message: null, createdAt: NOW, configuration, variables: {} },
      directory: app,
    };
    const keys = ['k2', 'k1'].map((id) => ({ id, secret: id.repeat(32), createdAt: NOW }));
    daemon.script.signingKeys = { application: 'shop', environment: 'production', keys };
    const written = 'process.env.BELAY_SIGNING_KEY_ID + process.env.BELAY_SIGNING_KEY';
    const script = `require('fs').writeFileSync('key', ${written})`;
    expect((await belay(daemon, ['run', '--', process.execPath, '-e', script])).code).toBe(0);
    expect(readFileSync(join(app, 'key'), 'utf8')).toBe(`k2${'k2'.repeat(32)}`);
  });
});
