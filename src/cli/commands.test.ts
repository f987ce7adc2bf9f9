import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfiguration } from '../config/load.ts';
import type { BelayEvent } from '../model/event.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, deploymentOf, environmentOf, instanceOf, NOW } from './scripted-views.ts';

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

const lastAsked = () => daemon.asked.at(-1);

describe('up', () => {
  beforeEach(() => {
    writeFileSync(join(app, 'package.json'), '{"scripts":{"start":"node server.js"}}');
    daemon.script.bundle = { present: true };
    daemon.script.deployment = deploymentOf();
  });

  test('prints what was found, where it runs and what to do next', async () => {
    daemon.script.deploy = { deployment: deploymentOf({ state: 'running', from: null }) };
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
    daemon.script.deploy = { deployment: null };
    const { code, out } = await belay(daemon, ['up'], { directory: app });
    expect(code).toBe(0);
    expect(out).toContain('runs this already, as v3: 2 instances in 2 zones.');
    expect(daemon.asked.find(({ route }) => route === 'deploy')?.body).toMatchObject({
      unchanged: 'skip',
    });
  });

  test('says which port it took, and why', async () => {
    daemon.script.deploy = { deployment: null };
    daemon.script.daemon = daemonOf(43_121);
    const { out } = await belay(daemon, ['up'], {
      directory: app,
      environment: { BELAY_HTTP: '0' },
    });
    expect(out).toContain('port 43121, because BELAY_HTTP=0 takes any that is free');
  });

  test('starts a daemon where none runs', async () => {
    await daemon.stop();
    daemon.script.deploy = { deployment: null };
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

describe('daemon start', () => {
  test('shows the exception that ended it before it had a log', async () => {
    await daemon.stop();
    const lines = [
      'file:///main.ts:1',
      'SyntaxError: missing )',
      '    at x',
      '',
      'Node.js v24.1.0',
      '',
    ];
    const { code, json } = await belay(daemon, ['daemon', 'start', '--json'], {
      spawnDaemon: () => writeFileSync(daemon.home.daemonLog, lines.join('\n')),
    });
    expect(code).toBe(5);
    expect(json).toMatchObject({
      error: {
        code: 'daemon-did-not-start',
        message: 'the daemon did not start: SyntaxError: missing )',
      },
    });
  });
});

describe('scale', () => {
  test('waits until the instances follow', async () => {
    daemon.script.scale = environmentOf();
    let looks = 0;
    daemon.script.environment = () => {
      looks += 1;
      return environmentOf({
        instances: [instanceOf(), instanceOf({ state: looks === 1 ? 'pending' : 'in-service' })],
      });
    };
    const { code, out } = await belay(daemon, ['scale', '2', '--max', '6']);
    expect({ code, out, looks }).toEqual({
      code: 0,
      out: '✓ shop/production: 2 of 2 in service, 1 to 4 allowed\n',
      looks: 2,
    });
    const scaled = daemon.asked.find(({ route }) => route === 'scale');
    expect(scaled?.body).toEqual({ desired: 2, max: 6 });
  });

  test('with --no-wait does not', async () => {
    daemon.script.scale = environmentOf({ instances: [] });
    const { code } = await belay(daemon, ['scale', '--min', '2', '--no-wait']);
    expect({ code, last: lastAsked()?.route }).toEqual({ code: 0, last: 'scale' });
  });
});

describe('rollback', () => {
  test.each([
    [[], null],
    [['7'], 7],
    [['v3'], 'v3'],
  ])('%j goes to %j', async (args, to) => {
    daemon.script.rollback = { deployment: deploymentOf({ kind: 'rollback' }) };
    await belay(daemon, ['rollback', ...args, '--detach']);
    expect(lastAsked()?.body).toEqual({ to });
  });
});

describe('env', () => {
  test('masks values unless they are asked for', async () => {
    daemon.script.variables = {
      variables: [{ name: 'KEY', value: 's3cret', source: 'environment' }],
    };
    expect((await belay(daemon, ['env', 'list'])).out).toBe(
      'NAME  VALUE   FROM\nKEY   ••••••  belay env\n',
    );
    expect((await belay(daemon, ['env', 'list', '--json'])).out).not.toContain('s3cret');
    expect((await belay(daemon, ['env', 'list', '--reveal'])).out).toContain('s3cret');
  });

  test('set takes values from arguments and one from stdin', async () => {
    daemon.script.setVariables = { deployment: null };
    const argv = ['env', 'set', 'LEVEL=a=b', 'KEY'];
    const { code } = await belay(daemon, argv, { input: 's3cret\n' });
    expect(code).toBe(0);
    expect(lastAsked()?.body).toEqual({ set: { LEVEL: 'a=b', KEY: 's3cret' }, unset: [] });
  });

  test('set refuses a bad name', async () => {
    const { code, err } = await belay(daemon, ['env', 'set', '2X=1']);
    expect(code).toBe(64);
    expect(err).toContain("'2X' is not the name of an environment variable");
  });
});

describe('down', () => {
  test('refuses without a terminal and without --yes', async () => {
    const { code, err } = await belay(daemon, ['down']);
    expect(code).toBe(64);
    expect(err).toContain('add --yes');
    expect(daemon.asked.map(({ route }) => route)).not.toContain('terminate');
  });

  test('--all --yes terminates everything and waits until it is gone', async () => {
    const left = [environmentOf(), environmentOf({ environment: 'staging' })];
    daemon.script.terminate = ({ params }) => {
      const index = left.findIndex(({ environment }) => environment === params.environment);
      return left.splice(index, 1)[0] ?? environmentOf();
    };
    daemon.script.environments = () => ({ environments: [...left] });
    const { code, json } = await belay(daemon, ['down', '--all', '--yes', '--json']);
    expect(code).toBe(0);
    expect(json).toEqual({
      terminated: [
        { application: 'shop', environment: 'production' },
        { application: 'shop', environment: 'staging' },
      ],
    });
  });

  test('--all --yes is content where nothing runs', async () => {
    daemon.script.environments = { environments: [] };
    expect((await belay(daemon, ['down', '--all', '--yes'])).code).toBe(0);
  });
});

describe('diff', () => {
  const release = (number: number, version: string, level: string) => ({
    ...{
      environment: 'shop/production',
      number,
      version,
      reason: 'deploy' as const,
      message: null,
    },
    createdAt: NOW,
    configuration: configurationOf(number),
    variables: { LEVEL: level },
    directory: '/code',
  });
  const releaseView = (number: number, version: string) => ({
    ...{ number, version, reason: 'deploy', message: null, createdAt: NOW, current: false },
  });

  test('shows files, keys and variables side by side, and ends with 2', async () => {
    daemon.script.releases = { releases: [releaseView(4, 'v3'), releaseView(3, 'v2')] };
    daemon.script.release = ({ params }) =>
      params.number === '4' ? release(4, 'v3', 'info') : release(3, 'v2', 'debug');
    daemon.script.versionFiles = ({ params }) => ({
      files: ['same', 'server.js', params.label ?? ''].map((path) => ({
        path,
        sizeBytes: 1,
        digest: path === 'server.js' ? `${params.label}` : 'equal',
      })),
    });
    const { code, out } = await belay(daemon, ['diff', 'v2', 'v3']);
    expect(code).toBe(2);
    expect(out).toMatchInlineSnapshot(`
      "v2 (release 3) → v3 (release 4)

      Files: 1 added, 1 changed, 1 removed
        + v3
        ~ server.js
        - v2

      Configuration
                          v2 (release 3)  v3 (release 4)
        web.capacity.max  3               4

      Variables
                         v2 (release 3)  v3 (release 4)
        LEVEL (changed)  ••••••          ••••••
      "
    `);
    expect((await belay(daemon, ['diff', 'v3', '4'])).code).toBe(0);
  });

  function configurationOf(max: number) {
    writeFileSync(
      join(app, 'belay.config.ts'),
      `export default { web: { start: 'node server.js', capacity: { max: ${max} } } };\n`,
    );
    return loadConfiguration(app, 'production').configuration;
  }
});

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

describe('logs and events', () => {
  test('prefix lines by instance when several write, and leave out those that are gone', async () => {
    daemon.script.logs = {
      instances: ['i-0000000a', 'i-0000000b', 'i-0000000c'].map((instance) => ({
        ...{ instance, release: 4, lines: ['hi'] },
      })),
    };
    expect((await belay(daemon, ['logs'])).out).toBe('i-0000000a │ hi\ni-0000000b │ hi\n');
    expect((await belay(daemon, ['logs', '--all'])).out).toContain('i-0000000c │ hi');
  });

  test('follow until the user leaves', async () => {
    const event: BelayEvent = {
      ...{
        id: 7,
        at: NOW,
        environment: 'shop/production',
        severity: 'error',
        type: 'instance-died',
      },
      ...{ message: 'i-0000000a was killed by SIGKILL', instance: 'i-0000000a', deployment: null },
    };
    daemon.script.events = { events: [] };
    daemon.streams['/v1/events/stream'] = [event];
    const { code, out } = await belay(daemon, ['events', '-f'], { leaveAfter: 'SIGKILL' });
    expect({ code, out }).toEqual({
      code: 130,
      out: '2026-01-31 12:00:00Z  ✗ shop/production  i-0000000a was killed by SIGKILL\n',
    });
  });
});

describe('daemon stop', () => {
  test.each([
    ['stops the edge too where nothing runs', [], true],
    ['leaves the edge to what runs', [environmentOf()], false],
  ])('%s', async (_, environments, edge) => {
    daemon.script.environments = { environments };
    daemon.script.stopDaemon = () => {
      void daemon.stop();
      return { stopping: true };
    };
    const { code, json } = await belay(daemon, ['daemon', 'stop', '--json']);
    expect({ code, json }).toEqual({ code: 0, json: { stopped: true, pid: 4000 } });
    expect(daemon.asked.find(({ route }) => route === 'stopDaemon')?.body).toEqual({ edge });
  });

  test('is content where none runs', async () => {
    await daemon.stop();
    expect((await belay(daemon, ['daemon', 'stop'])).code).toBe(0);
  });
});

describe('doctor', () => {
  test('says whose a taken port is, and ends well without a problem', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const environment = {
      BELAY_HTTP: String(port),
      BELAY_CONSOLE: '0',
      PATH: process.env.PATH ?? '',
    };
    const { code, json } = await belay(daemon, ['doctor', '--json'], { environment });
    server.close();
    expect(code).toBe(0);
    const { checks } = json as { checks: { name: string; says: string }[] };
    const edge = checks.find(({ name }) => name === 'edge port');
    expect(edge?.says).toContain(`${port} is taken by`);
    if (existsSync('/proc/net/tcp')) expect(edge?.says).toContain(`process ${process.pid}`);
  });

  test('ends with 2 when something will fail', async () => {
    const { code, out } = await belay(daemon, ['doctor'], { environment: { BELAY_HTTP: 'http' } });
    expect(code).toBe(2);
    expect(out).toContain('BELAY_HTTP=http is not a port');
  });
});

describe('completion', () => {
  test('for bash parses, and completes commands, families and flags', async () => {
    const { out } = await belay(daemon, ['completion', 'bash']);
    const complete = (...words: string[]) =>
      execFileSync(
        'bash',
        [
          '-c',
          `${out}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _belay; echo "\${COMPREPLY[*]}"`,
          '-',
          'belay',
          ...words,
        ],
        { encoding: 'utf8' },
      ).trim();
    expect(complete('sta')).toBe('status');
    expect(complete('env', '')).toBe('list set unset');
    expect(complete('env', 'list', '--rev')).toBe('--reveal');
    expect(complete('deploy', '--d')).toBe('--dry-run --detach');
  });

  test.each(['zsh', 'fish'])('for %s has every command', async (shell) => {
    const { code, out } = await belay(daemon, ['completion', shell]);
    expect(code).toBe(0);
    for (const word of ['up', 'deploy', 'upgrade', 'reveal']) expect(out).toContain(word);
  });
});
