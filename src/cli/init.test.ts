import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfiguration } from '../config/load.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, environmentOf } from './scripted-views.ts';

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

describe('init', () => {
  test('writes a configuration that loads, and overwrites none', async () => {
    writeFileSync(join(app, 'Procfile'), "web: LEVEL=info node 'my server.js' $PORT\n");
    const path = join(app, 'belay.config.ts');
    expect((await belay(daemon, ['init'], { directory: app })).code).toBe(0);
    expect(loadConfiguration(app, 'staging').configuration.web).toMatchObject({
      start: ['node', 'my server.js', '$PORT'],
      variables: { LEVEL: 'info' },
      capacity: { min: 1, max: 1 },
    });
    writeFileSync(path, '// mine');
    expect((await belay(daemon, ['init'], { directory: app })).code).toBe(64);
    expect(readFileSync(path, 'utf8')).toBe('// mine');
    expect((await belay(daemon, ['init', '--force'], { directory: app })).code).toBe(0);
  });

  test('leaves the start of a static site to detection', async () => {
    writeFileSync(join(app, 'index.html'), '<p>hi');
    await belay(daemon, ['init'], { directory: app });
    expect(readFileSync(join(app, 'belay.config.ts'), 'utf8')).not.toContain(process.execPath);
    expect(loadConfiguration(app, 'production').configuration.web.start).not.toBeNull();
  });
});
