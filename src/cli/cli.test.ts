import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../kernel/fault.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { deploymentOf, environmentOf, outcomeOf, receiptOf } from './scripted-views.ts';

let daemon: ScriptedDaemon;

beforeEach(async () => {
  daemon = scriptedDaemon({ environments: { environments: [environmentOf()] } });
  await daemon.start();
});
afterEach(() => daemon.close());

const ESCAPE = '\u001b';

describe('help', () => {
  test('works beside a broken configuration and without a home', async () => {
    writeFileSync(join(daemon.home.root, 'belay.config.ts'), 'export default app(');
    const noHome = {
      get home(): never {
        throw new Error('asked for a home');
      },
    };
    const { code, out, err } = await belay(noHome, ['deploy', '--help'], {
      directory: daemon.home.root,
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('belay deploy --dry-run');
  });

  test('is what belay says when told nothing', async () => {
    const { code, out } = await belay(daemon, []);
    expect(code).toBe(0);
    expect(out).toContain('Start here:');
  });

  test('is shown for a family without a command, as bad usage', async () => {
    const { code, err } = await belay(daemon, ['env']);
    expect(code).toBe(64);
    expect(err).toContain('unset <KEY...>');
  });
});

describe('bad usage', () => {
  test.each([
    ['an unknown command', ['statsu'], "Unknown command 'statsu'", 'did you mean status?'],
    ['an unknown flag', ['deploy', '--polcy', 'x'], "Unknown option '--polcy'", '--policy?'],
    ['an unknown policy', ['deploy', '--policy', 'big-bang'], "policy 'big-bang'", 'rolling'],
    ['a duration without a unit', ['deploy', '--timeout', '10'], "--timeout is '10'", 'ms, s, m'],
    ['a number that is none', ['scale', 'many'], "N is 'many'", ''],
    ['flags that exclude each other', ['deploy', '--abort', '--attach'], 'exclude', '--help'],
    ['too many arguments', ['status', 'x'], 'too many arguments', ''],
    ['a shell we do not know', ['completion', 'tcsh'], "no completion for 'tcsh'", 'bash'],
  ])('refuses %s', async (_, argv, message, hint) => {
    const { code, out, err } = await belay(daemon, argv);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err.toLowerCase()).toContain(message.toLowerCase());
    expect(err).toContain(hint);
    expect(daemon.asked).toEqual([]);
  });

  test('is JSON on stdout with --json', async () => {
    const { code, json, err } = await belay(daemon, ['deploy', '--polcy', '--json']);
    expect({ code, err }).toEqual({ code: 64, err: '' });
    expect(json).toMatchObject({ error: { code: 'bad-usage', retryable: false } });
  });

  test('a configuration with problems ends with 64 and says where', async () => {
    writeFileSync(join(daemon.home.root, 'belay.config.ts'), 'export default { wbe: {} };\n');
    const { code, json } = await belay(daemon, ['deploy', '--json']);
    expect(code).toBe(64);
    expect(json).toMatchObject({
      error: { code: 'config-invalid', subject: expect.stringContaining('belay.config.ts') },
    });
  });
});

describe('a fault', () => {
  test('says what, where and what next', async () => {
    daemon.script.scale = () => {
      throw new Fault({
        code: 'bad-capacity',
        message: '9 is outside min 1 and max 4',
        subject: 'shop/production',
        hint: 'to move the bound too, use: belay scale 9 --max 9',
      });
    };
    const { code, err } = await belay(daemon, ['scale', '9']);
    expect(code).toBe(64);
    expect(err).toBe(
      [
        '✗ 9 is outside min 1 and max 4',
        '  Where: shop/production',
        '  Next:  to move the bound too, use: belay scale 9 --max 9',
        '',
      ].join('\n'),
    );
  });

  test('ends with 5 when no daemon runs', async () => {
    await daemon.stop();
    const { code, json } = await belay(daemon, ['status', '--json']);
    expect(code).toBe(5);
    expect(json).toMatchObject({ error: { code: 'daemon-unreachable' } });
    expect((await belay(daemon, ['daemon', 'status'])).code).toBe(5);
  });

  test('in our own code is told as one', async () => {
    daemon.script.environments = { environments: null } as never;
    const { code, err } = await belay(daemon, ['status']);
    expect(code).toBe(1);
    expect(err).toContain('Something went wrong inside Belay');
  });
});

describe('the application', () => {
  test('is the only one that runs', async () => {
    daemon.script.restart = outcomeOf(deploymentOf({ kind: 'restart' }));
    await belay(daemon, ['restart', '--detach']);
    expect(daemon.asked.at(-1)?.params).toEqual({ application: 'shop', environment: 'production' });
  });

  test('is the one this directory configures, even when another one runs', async () => {
    writeFileSync(
      join(daemon.home.root, 'belay.config.ts'),
      "export default { name: 'blog', web: { start: 'node server.js' } };\n",
    );
    daemon.script.restart = outcomeOf(deploymentOf({ kind: 'restart' }));
    await belay(daemon, ['restart', '--detach', '-e', 'staging']);
    expect(daemon.asked.at(-1)?.params).toEqual({ application: 'blog', environment: 'staging' });
  });

  test('has to be named when several run', async () => {
    const others = ['shop', 'blog'].map((application) => environmentOf({ application }));
    daemon.script.environments = { environments: others };
    const { code, err } = await belay(daemon, ['restart']);
    expect(code).toBe(64);
    expect(err).toContain('say which one with: --app shop');
  });

  test('is taken from its logs even where its configuration is broken', async () => {
    writeFileSync(join(daemon.home.root, 'belay.config.ts'), 'export default app(');
    daemon.script.logs = { instances: [{ instance: 'i-0000000a', release: 4, lines: ['hi'] }] };
    daemon.script.environment = environmentOf();
    const { code, out } = await belay(daemon, ['logs']);
    expect({ code, out }).toEqual({ code: 0, out: 'hi\n' });
  });
});

describe('escape codes', () => {
  const lossy = environmentOf({
    health: 'degraded',
    deployment: deploymentOf({ receipt: receiptOf({ lost: 3 }) }),
  });

  test('are written on a terminal only', async () => {
    daemon.script.environments = { environments: [lossy] };
    expect((await belay(daemon, ['status'], { isTTY: true })).out).toContain(ESCAPE);
    expect((await belay(daemon, ['status'])).out).not.toContain(ESCAPE);
  });

  test('are not written where NO_COLOR is set', async () => {
    daemon.script.environments = { environments: [lossy] };
    const environment = { NO_COLOR: '1' };
    const { out } = await belay(daemon, ['status'], { isTTY: true, environment });
    expect(out).not.toContain(ESCAPE);
  });

  test('are not written by progress off a terminal', async () => {
    daemon.script.restart = outcomeOf(deploymentOf({ state: 'running' }));
    daemon.script.deployment = deploymentOf({ logTail: ['boom'], state: 'rolled-back' });
    const { out, err } = await belay(daemon, ['restart']);
    expect(out + err).not.toContain(ESCAPE);
  });
});

test('an unwritable home is refused before a daemon is started', async () => {
  await daemon.stop();
  mkdirSync(join(daemon.home.root, 'app'));
  writeFileSync(join(daemon.home.root, 'file'), '');
  writeFileSync(join(daemon.home.root, 'app', 'index.html'), 'hi');
  let spawned = false;
  const home = { ...daemon.home, root: join(daemon.home.root, 'file') };
  const { code, json } = await belay({ home }, ['up', '--json'], {
    directory: join(daemon.home.root, 'app'),
    spawnDaemon: () => {
      spawned = true;
    },
  });
  expect({ code, spawned }).toEqual({ code: 64, spawned: false });
  expect(json).toMatchObject({ error: { code: 'home-not-writable' } });
});
