import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TicketView } from '../model/view.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { deploymentOf, environmentOf, NOW } from './scripted-views.ts';

let daemon: ScriptedDaemon;

const ticketOf = (fields: Partial<TicketView> = {}): TicketView => ({
  environment: 'shop/production',
  number: 2,
  kind: 'restart',
  by: 'ann',
  message: null,
  force: false,
  askedAt: NOW - 90_000,
  state: 'waiting',
  reason: null,
  deployment: null,
  endedAt: null,
  ...fields,
});

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    environment: environmentOf(),
    restart: { deployment: null, ticket: ticketOf() },
    deployment: deploymentOf({ number: 5, kind: 'restart' }),
  });
  await daemon.start();
});
afterEach(() => daemon.close());

const bodyOf = (route: string) => daemon.asked.find((asked) => asked.route === route)?.body;

describe('a command that is queued', () => {
  test('waits for its turn, and then follows the deployment to its end', async () => {
    const answers = [ticketOf(), ticketOf({ state: 'started', deployment: 5 })];
    daemon.script.tickets = () => ({ tickets: [answers.shift() ?? ticketOf()] });
    const { code, out, err } = await belay(daemon, ['restart', '--queue']);
    expect(code).toBe(0);
    expect(err).toContain('queued restart 2 of shop/production waits for its turn.');
    expect(out).toContain('Restarted v3 as release 4');
    expect(bodyOf('restart')).toMatchObject({ otherwise: 'queue', force: false });
  });

  test.each<[TicketView['state'], string]>([
    ['cancelled', 'by bob'],
    ['replaced', 'a newer deploy took its place'],
    ['refused', 'there was nothing left to change'],
  ])('that was %s says so and ends with 1', async (state, reason) => {
    daemon.script.tickets = { tickets: [ticketOf({ state, reason })] };
    const { code, err } = await belay(daemon, ['restart', '--queue']);
    expect(code).toBe(1);
    expect(err).toContain(`Queued restart 2 of shop/production was ${state}: ${reason}`);
  });

  test('returns at once with --detach, and says where it waits', async () => {
    const argv = ['restart', '--replace', '--detach', '--json'];
    const { code, json } = await belay(daemon, argv);
    expect(code).toBe(0);
    expect(json).toMatchObject({ detached: true, queued: 2, kind: 'restart' });
    expect(bodyOf('restart')).toMatchObject({ otherwise: 'replace' });
  });

  test('waits on when the user leaves', async () => {
    const leaving = new AbortController();
    daemon.script.tickets = () => {
      leaving.abort();
      return { tickets: [ticketOf()] };
    };
    const { code, err } = await belay(daemon, ['restart', '--queue'], {
      interrupt: leaving.signal,
    });
    expect(code).toBe(130);
    expect(err).toContain('belay queue cancel 2 -a shop');
  });

  test('finds the daemon again after it died', async () => {
    let died = false;
    daemon.script.tickets = () => {
      if (died) return { tickets: [ticketOf({ state: 'started', deployment: 5 })] };
      died = true;
      void daemon.stop().then(() => daemon.start());
      return { tickets: [ticketOf()] };
    };
    expect((await belay(daemon, ['restart', '--queue'])).code).toBe(0);
  });

  test('does not wait for longer than it is told', async () => {
    daemon.script.tickets = { tickets: [ticketOf()] };
    const { code } = await belay(daemon, ['restart', '--queue', '--timeout', '1ms']);
    expect(code).toBe(3);
  });

  test('--wait and --detach exclude each other', async () => {
    expect((await belay(daemon, ['restart', '--wait', '--detach'])).code).toBe(64);
  });
});

describe('queue', () => {
  test('lists what waits, first to start first', async () => {
    daemon.script.tickets = {
      tickets: [
        ticketOf({ number: 3, kind: 'deploy', message: 'faster', force: true }),
        ticketOf(),
        ticketOf({ number: 1, state: 'started', deployment: 4 }),
      ],
    };
    const { out } = await belay(daemon, ['queue']);
    expect(out).toMatchInlineSnapshot(`
      "QUEUED     STATE    ASKED    BY   WHY
      restart 2  waiting  1 m ago  ann
      deploy 3   waiting  1 m ago  ann  faster; forced
      "
    `);
    expect((await belay(daemon, ['queue', 'list', '--all'])).out).toContain('started as restart 4');
  });

  test('cancel names one by its number', async () => {
    daemon.script.cancel = { ticket: ticketOf({ state: 'cancelled' }) };
    const { out } = await belay(daemon, ['queue', 'cancel', '2']);
    expect(out).toBe('queued restart 2 was taken out of the queue.\n');
    expect(daemon.asked.at(-1)?.params).toMatchObject({ number: '2' });
    expect((await belay(daemon, ['queue', 'cancel', 'two'])).code).toBe(64);
  });
});

describe('deployments', () => {
  test('lists what was deployed, by whom and why, and what waits', async () => {
    daemon.script.environment = environmentOf({ waiting: [ticketOf()] });
    daemon.script.deployments = {
      deployments: [
        deploymentOf({ number: 5, by: 'bob', message: 'hot fix', overrides: ['frozen'] }),
        deploymentOf({ by: 'ann', state: 'rolled-back' }),
      ],
    };
    const { out } = await belay(daemon, ['deployments']);
    expect(out).toMatchInlineSnapshot(`
      "QUEUED     STATE    ASKED    BY
      restart 2  waiting  1 m ago  ann

      DEPLOYMENT  CHANGE                         STATE        STARTED   TOOK        LOST  BY   WHY
      deploy 5    v2, release 3 → v3, release 4  succeeded    12 s ago  12 s  0 of 12345  bob  hot fix; forced past 1 objection
      deploy 4    v2, release 3 → v3, release 4  rolled back  12 s ago  12 s  0 of 12345  ann
      "
    `);
  });
});

describe('attach', () => {
  test('follows any deployment by its number', async () => {
    const { code, err, out } = await belay(daemon, ['attach', '5']);
    expect(code).toBe(0);
    expect(err).toContain('restart 5 does not run any more; this is how it ended.');
    expect(out).toContain('Restarted v3');
    expect(daemon.asked.at(-1)?.params).toMatchObject({ number: '5' });
  });

  test('follows the one that runs, and leaves it alone', async () => {
    const leaving = new AbortController();
    daemon.script.deployment = () => {
      leaving.abort();
      return deploymentOf({ state: 'running' });
    };
    const { code, err } = await belay(daemon, ['attach'], { interrupt: leaving.signal });
    expect(code).toBe(130);
    expect(err).toContain('Detached: deploy 4 goes on without you.');
    expect(daemon.asked.map(({ route }) => route)).not.toContain('abort');
  });
});

describe('freeze', () => {
  const frozen = { reason: 'the sale', by: 'ann', since: NOW, until: null };

  test('says until when, and how to lift it', async () => {
    daemon.script.freeze = environmentOf({ freeze: frozen });
    const argv = ['freeze', 'the sale', '--until', '2026-12-24T08:00Z'];
    const { code, out } = await belay(daemon, argv);
    expect(code).toBe(0);
    expect(out).toContain('frozen until 2026-12-24 08:00:00Z');
    expect(out).toContain('belay unfreeze -a shop');
    expect(bodyOf('freeze')).toMatchObject({
      reason: 'the sale',
      until: Date.UTC(2026, 11, 24, 8),
    });
  });

  test('takes a duration, and refuses what is none', async () => {
    daemon.script.freeze = environmentOf({ freeze: frozen });
    expect((await belay(daemon, ['freeze', '--until', '2d'])).code).toBe(0);
    expect((await belay(daemon, ['freeze', '--until', 'soon'])).code).toBe(64);
  });

  test('is lifted by unfreeze, which tells what starts', async () => {
    daemon.script.unfreeze = environmentOf({ waiting: [ticketOf()] });
    const { out } = await belay(daemon, ['unfreeze']);
    expect(out).toContain('no longer frozen');
    expect(out).toContain('belay queue -a shop');
  });

  test('is seen in status, beside what waits and who deployed', async () => {
    const deployment = deploymentOf({ by: 'bob', message: 'hot fix' });
    const environments = [environmentOf({ freeze: frozen, waiting: [ticketOf()], deployment })];
    daemon.script.environments = { environments };
    const { out } = await belay(daemon, ['status']);
    expect(out).toContain('deployment  deploy 4 by bob succeeded');
    expect(out).toContain('“hot fix”');
    expect(out).toContain('queued      restart 2 by ann');
    expect(out).toContain('frozen      until belay unfreeze by ann: the sale');
  });
});
