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
});
