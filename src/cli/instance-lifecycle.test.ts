import { afterEach, beforeEach, expect, test } from 'vitest';
import type { InstanceView } from '../model/view.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { environmentOf, instanceOf, NOW } from './scripted-views.ts';

const ID = 'i-0000000a';

const waiting = (endsAt: number, turn: 'launching' | 'terminating' = 'launching') =>
  environmentOf({ instances: [instanceOf(waits(endsAt, turn))] });

const waits = (
  endsAt: number,
  turn: 'launching' | 'terminating',
): Pick<InstanceView, 'id' | 'state' | 'wait'> => ({
  id: ID,
  state: turn === 'launching' ? 'pending' : 'draining',
  wait: { turn, since: NOW, endsAt, otherwise: 'abandon' },
});

let daemon: ScriptedDaemon;

beforeEach(async () => {
  daemon = scriptedDaemon({});
  await daemon.start();
});
afterEach(() => daemon.close());

function script(view = waiting(NOW + 60_000)): void {
  daemon.script.environments = { environments: [view] };
  daemon.script.environment = view;
  const answered = environmentOf({ instances: [instanceOf({ id: ID })] });
  daemon.script.continueInstance = answered;
  daemon.script.abandonInstance = answered;
}

test.each([
  ['continue', 'launching', 'comes into service'],
  ['abandon', 'launching', 'ends, and another is tried'],
  ['continue', 'terminating', 'is stopped'],
] as const)(
  '%s finds the environment of one that waits, %s, and says what follows',
  async (word, turn, says) => {
    script(waiting(NOW + 60_000, turn));
    const { code, out } = await belay(daemon, ['instance', word, ID]);
    expect([code, out]).toEqual([0, `✓ ${ID} ${says}\n`]);
    expect(daemon.asked.at(-1)).toMatchObject({
      route: `${word}Instance`,
      params: { application: 'shop', environment: 'production', instance: ID },
    });
  },
);

test('heartbeat says how much time there is by then', async () => {
  script();
  daemon.script.heartbeatInstance = waiting(NOW + 3_600_000);
  const { out } = await belay(daemon, ['instance', 'heartbeat', ID]);
  expect(out).toMatch(/^✓ i-0000000a waits on: 1 h 0 m.* to answer, else abandon\n$/);
});

test('says so where there is no such instance', async () => {
  script();
  const { code, err } = await belay(daemon, ['instance', 'continue', 'i-ffffffff']);
  expect(code).toBe(64);
  expect(err).toContain('There is no instance i-ffffffff');
});
