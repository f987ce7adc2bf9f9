import { get } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { ledgerDifference } from '../../src/model/ledger.ts';
import type { EnvironmentView, SwapView } from '../../src/model/view.ts';
import { House, where } from './support/house.ts';
import { difference, ended, type Load, startLoad } from './support/load.ts';

/**
 * Environments as a whole, by the command line, on real processes: under an independent client that
 * numbers its requests, names are swapped and swapped back, and not one is lost.
 */

const SWAPS = process.env.BELAY_NIGHTLY ? 20 : 2;
const HOST = 'numbers.localhost';
/** Asked for, one after the other, as soon as a swap has returned. */
const ASKED_AFTER = 20;
const app = ['-a', where.application];

describe('environments', () => {
  let house: House;
  let load: Load | null = null;

  afterEach(async ({ task }) => {
    load?.kill();
    load = null;
    await house.close(task.result?.state === 'fail');
  });

  async function belay(...words: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await house.belay([...words, ...app, '--json']);
    expect(code, `belay ${words.join(' ')}\n${stderr}${stdout}`).toBe(0);
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  }

  const look = async (environment: string): Promise<EnvironmentView> =>
    await house.client.call('environment', { params: { ...where, environment } });

  const instancesOf = async (environment: string): Promise<string[]> =>
    (await look(environment)).instances.map(({ id }) => id).sort();

  /** Production runs one version, its clone another. */
  async function blueAndGreen(): Promise<void> {
    house = new House();
    await house.start();
    const capacity = { min: 2, max: 3, zones: ['a', 'b'] };
    await house.deployed(house.app({ name: 'blue' }, { capacity }));
    await belay('envs', 'clone', 'production', 'staging', '--min', '1', '--desired', '1');
    await belay('deploy', house.app({ name: 'green' }, { capacity }), '-e', 'staging');
  }

  test('swapped and swapped back, no request is lost', { timeout: 600_000 }, async () => {
    await blueAndGreen();
    const port = await house.port();
    load = startLoad({ port, host: HOST, ratePerSecond: 200, sockets: 2 });
    const before = { counts: await load.send(50), ledger: await house.ledger() };
    const start = difference(before.counts, await load.pause());
    expect(start.failures).toEqual([]);
    const fleets = [await instancesOf('production'), await instancesOf('staging')] as const;

    for (let i = 0; i < SWAPS * 2; i += 1) {
      const live = fleets[i % 2 === 0 ? 1 : 0];
      await load.send(20);
      const swap = (await belay('envs', 'swap', 'production', 'staging')) as SwapView;
      for (let asked = 0; asked < ASKED_AFTER; asked += 1) {
        expect(live).toContain(await whoAnswers(port));
      }
      expect(swap.environments.map(({ receipt }) => receipt?.lost)).toEqual([0, 0]);
      const settled = await load.pause();
      await load.send(100);
      const after = difference(settled, await load.pause());
      const answered = Object.keys(after.byInstance).filter((id) => after.byInstance[id] !== 0);
      expect(answered.sort()).toEqual(live);
    }

    const counts = await load.pause();
    expect(counts.failures).toEqual([]);
    expect(counts.ok).toBe(counts.sent);
    const { outcomes } = ledgerDifference(before.ledger, await house.ledger());
    expect(outcomes).toMatchObject({ lost: 0, cut: 0, 'client-aborted': 0 });
    // What was open before goes on where it was opened.
    expect(counts.sockets).toMatchObject({
      opened: 2,
      open: 2,
      closed: 0,
      wrong: 0,
      unanswered: 0,
    });
    expect(outcomes.ok).toBeGreaterThanOrEqual(ended(difference(before.counts, counts)));
    expect((await look('production')).namesOf).toBeNull();
  });

  const nightly = test.skipIf(!process.env.BELAY_NIGHTLY);
  nightly('a swap outlives the daemon and a deployment', { timeout: 300_000 }, async () => {
    await blueAndGreen();
    const port = await house.port();
    await belay('envs', 'swap', 'production', 'staging');
    await house.killDaemon();
    expect(await whoAnswers(port)).toMatch(/^i-/);
    await house.start();
    expect(await instancesOf('staging')).toContain(await whoAnswers(port));
    await belay('deploy', house.app({ name: 'blue, again' }), '-e', 'production');
    await belay('deploy', house.app({ name: 'green, again' }), '-e', 'staging');
    expect(await instancesOf('staging')).toContain(await whoAnswers(port));
    expect((await look('staging')).domains).toEqual([HOST]);
  });

  test('ended with a typed name, and brought back', { timeout: 300_000 }, async () => {
    await blueAndGreen();
    const unasked = await house.belay(['envs', 'terminate', 'staging', ...app]);
    expect(unasked).toMatchObject({ code: 64 });
    expect(unasked.stderr).toContain('--confirm staging');
    const wrong = await house.belay(['envs', 'terminate', 'staging', '--confirm', 'x', ...app]);
    expect(wrong).toMatchObject({ code: 64 });
    await belay('envs', 'terminate', 'staging', '--confirm', 'staging');
    const listed = (await belay('envs', '--all')) as { terminated: { environment: string }[] };
    expect(listed.terminated).toMatchObject([{ environment: 'staging', version: 'v2' }]);
    await belay('envs', 'rebuild', 'staging');
    expect(await look('staging')).toMatchObject({ status: 'ready', version: 'v2' });
    const old = await instancesOf('production');
    await belay('envs', 'rebuild', 'production', '--confirm', 'production');
    const fresh = await instancesOf('production');
    expect(fresh).toHaveLength(old.length);
    expect(fresh.some((id) => old.includes(id))).toBe(false);
    expect(fresh).toContain(await whoAnswers(await house.port()));
  });
});

/** Which instance answers at the name of production now, on a connection of its own. */
function whoAnswers(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/number/1', agent: false };
    const headers = { host: HOST, 'x-number': '1' };
    get({ ...options, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.headers['x-instance'])));
    }).on('error', reject);
  });
}
