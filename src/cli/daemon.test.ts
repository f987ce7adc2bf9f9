import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, environmentOf } from './scripted-views.ts';

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
