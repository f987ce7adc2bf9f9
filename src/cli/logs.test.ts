import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BelayEvent } from '../model/event.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, environmentOf, NOW } from './scripted-views.ts';

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
