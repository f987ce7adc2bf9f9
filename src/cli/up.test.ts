import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, deploymentOf, environmentOf, outcomeOf } from './scripted-views.ts';

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

describe('up', () => {
  beforeEach(() => {
    writeFileSync(join(app, 'package.json'), '{"scripts":{"start":"node server.js"}}');
    daemon.script.bundle = { present: true };
    daemon.script.deployment = deploymentOf();
  });

  test('prints what was found, where it runs and what to do next', async () => {
    daemon.script.deploy = outcomeOf(deploymentOf({ state: 'running', from: null }));
    const { code, out, err } = await belay(daemon, ['up', 'my-app']);
    expect(code).toBe(0);
    expect(
      err.replaceAll(daemon.home.root, '~').replace(/bundle .*/, 'bundle …'),
    ).toMatchInlineSnapshot(`
      "my-app/production  ~/my-app
        found       package.json: its start script starts the app: node server.js
        runs        node server.js
        instances   1, in zones a, b
        bundle …
      deploy 4 of my-app/production: v3, release 4, rolling
         0.8 s  ✓ launched    i-0000000a  zone a  0 of 2 desired
         1.2 s  ✓ in service  i-0000000a  passed its health check

      "
    `);
    expect(out).toMatchInlineSnapshot(`
      "✓ shop/production is up: 2 instances in 2 zones, in 12 s.

        http://shop.localhost:8080/

      Next:
        belay status         see how it does
        belay deploy my-app  ship a change, and get the receipt
        belay down -a shop   drain and stop it
      "
    `);
  });

  test('says so when what runs is right already', async () => {
    daemon.script.deploy = outcomeOf(null);
    const { code, out } = await belay(daemon, ['up'], { directory: app });
    expect(code).toBe(0);
    expect(out).toContain('runs this already, as v3: 2 instances in 2 zones.');
    expect(daemon.asked.find(({ route }) => route === 'deploy')?.body).toMatchObject({
      unchanged: 'skip',
    });
  });

  test('says which port it took, and why', async () => {
    daemon.script.deploy = outcomeOf(null);
    daemon.script.daemon = daemonOf(43_121);
    const { out } = await belay(daemon, ['up'], {
      directory: app,
      environment: { BELAY_HTTP: '0' },
    });
    expect(out).toContain('port 43121, because BELAY_HTTP=0 takes any that is free');
  });

  test('starts a daemon where none runs', async () => {
    await daemon.stop();
    daemon.script.deploy = outcomeOf(null);
    let started: Promise<void> | null = null;
    const { code } = await belay(daemon, ['up'], {
      directory: app,
      spawnDaemon: () => {
        started = daemon.start();
      },
    });
    await started;
    expect(code).toBe(0);
  });

  test('shows why a daemon did not start, at once', async () => {
    await daemon.stop();
    const entry = { level: 60, code: 'home-newer', msg: 'this home is of a newer Belay' };
    const { code, json } = await belay(daemon, ['up', '--json'], {
      directory: app,
      spawnDaemon: () => writeFileSync(daemon.home.daemonLog, `${JSON.stringify(entry)}\n`),
    });
    expect(code).toBe(64);
    expect(json).toMatchObject({
      error: {
        code: 'home-newer',
        message: 'the daemon did not start: this home is of a newer Belay',
      },
    });
  });
});
