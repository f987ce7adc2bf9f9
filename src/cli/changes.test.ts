import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, deploymentOf, environmentOf, instanceOf, outcomeOf } from './scripted-views.ts';

let daemon: ScriptedDaemon;

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    environment: environmentOf(),
    daemon: daemonOf(),
  });
  await daemon.start();
});
afterEach(() => daemon.close());

const lastAsked = () => daemon.asked.at(-1);

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

  test('does not wait for what is protected from it', async () => {
    const held = instanceOf({ isProtected: true });
    daemon.script.scale = environmentOf();
    daemon.script.environment = environmentOf({ instances: [held, held, held] });
    const { out } = await belay(daemon, ['scale', '2']);
    expect(out).toBe('✓ shop/production: 3 of 2 in service, 1 to 4 allowed\n');
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
    daemon.script.rollback = outcomeOf(deploymentOf({ kind: 'rollback' }));
    await belay(daemon, ['rollback', ...args, '--detach']);
    expect(lastAsked()?.body).toMatchObject({ to });
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
    daemon.script.setVariables = outcomeOf(null);
    const argv = ['env', 'set', 'LEVEL=a=b', 'KEY'];
    const { code } = await belay(daemon, argv, { input: 's3cret\n' });
    expect(code).toBe(0);
    expect(lastAsked()?.body).toMatchObject({ set: { LEVEL: 'a=b', KEY: 's3cret' }, unset: [] });
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
