import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SimulatedControl } from '../../test/support/simulated-control.ts';
import type { ForecastView } from '../model/view.ts';
import { renderForecast } from './forecast-text.ts';
import { paint } from './paint.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { environmentOf } from './scripted-views.ts';

describe('the story of a deployment that has not begun', () => {
  test('has every step with its time, what is assumed and what speaks against it', async () => {
    await using simulated = new SimulatedControl();
    await simulated.start();
    simulated.behaviours.set('one', { bootMs: 1_500, stopMs: 100 });
    for (let count = 0; count < 2; count += 1) {
      await simulated.deploy('one');
      await simulated.settled();
    }
    const where = { application: 'shop', environment: 'production' };
    const current = simulated.store.releases('shop/production')[0];
    if (!current) throw new Error('nothing runs');
    const { configuration } = current;
    const rollout = { ...configuration.rollout, policy: 'immutable' } as const;
    const view = await simulated.control.forecasts.deploy(where, { ...configuration, rollout });
    const ids = new Map(
      (await simulated.status()).instances.map(({ id }, index) => [id, `i-0000000${index}`]),
    );
    const told = renderForecast(view, paint(false))
      .join('\n')
      .replace(/i-[0-9a-f]{8}/g, (id) => ids.get(id) ?? id);
    expect(told).toMatchInlineSnapshot(`
      "Steps (immutable)
         +0.0 s  start       new-1  instance 1 of 3
         +1.5 s  in service  new-1  passed its health check
         +1.7 s  start       new-2, new-3
         +3.2 s  in service  new-2, new-3
         +3.4 s  drain       i-00000000, i-00000001, i-00000002
         +3.4 s  stop        i-00000000, i-00000001, i-00000002
         +3.5 s  done        every instance runs release 3

      It would take about 3.5 s and start 3 instances."
    `);
  });
});

describe('deploy --dry-run', () => {
  let daemon: ScriptedDaemon;
  const view: ForecastView = {
    policy: 'rolling',
    forecast: { steps: [], verdict: 'succeeded', cause: null, totalMs: 3_000 },
    hindrance: null,
    concerns: [],
    assumptions: [],
  };

  beforeEach(async () => {
    daemon = scriptedDaemon({
      environments: { environments: [environmentOf({ release: null })] },
      forecast: view,
    });
    await daemon.start();
    const config = "export default { name: 'shop', web: { start: 'node server.js' } };\n";
    writeFileSync(join(daemon.home.root, 'belay.config.ts'), config);
  });
  afterEach(() => daemon.close());

  test('starts nothing, and ends with 0 where it would succeed', async () => {
    const { code, json } = await belay(daemon, ['deploy', '--dry-run', '--json']);
    expect(code).toBe(0);
    expect(json).toMatchObject({ differs: true, policy: 'rolling', forecast: { totalMs: 3_000 } });
    const asked = daemon.asked.map(({ route }) => route);
    expect(asked).toContain('forecast');
    expect(asked).not.toContain('deploy');
    expect(asked).not.toContain('putBundle');
  });

  const hindrance = { code: 'outside-window', message: 'not now', hint: 'later', retryable: true };
  const concern = { code: 'outage', grave: true, what: 'all would stop', instead: 'extra: 1' };
  test.each<[string, Partial<ForecastView>, RegExp]>([
    ['be refused', { hindrance }, /It would be refused now: not now/],
    ['not suit', { concerns: [concern as never] }, /✗ all would stop\n {2}Better: extra: 1/],
    [
      'go back',
      { forecast: { steps: [], verdict: 'rolled-back', cause: 'nobody decided', totalMs: 1 } },
      /It would end rolled-back after about 0.0 s: nobody decided/,
    ],
  ])('ends with 2 where it would %s', async (_, change, said) => {
    daemon.script.forecast = { ...view, ...change };
    const { code, out } = await belay(daemon, ['deploy', '--dry-run']);
    expect(code).toBe(2);
    expect(out).toMatch(said);
    expect(out).toContain('Nothing was changed: this was a dry run.');
  });
});
