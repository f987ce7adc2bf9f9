import type { Hono } from 'hono';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deployRequest, SimulatedControl } from '../../test/support/simulated-control.ts';
import { silentLog } from '../kernel/log.ts';
import { createApi } from './server.ts';

const PATH = '/v1/applications/shop/environments/production';

let simulated: SimulatedControl;
let api: Hono;

beforeEach(async () => {
  simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one');
  await simulated.settled();
  const { control, clock } = simulated;
  api = createApi({ control, clock, log: silentLog, stop: () => {} });
});
afterEach(() => simulated[Symbol.asyncDispose]());

async function post(path: string, body: object) {
  const answer = await api.request(`${PATH}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return { status: answer.status, value: (await answer.json()) as Record<string, unknown> };
}

it('queues what cannot start now where it is asked to, and refuses it with 409 where not', async () => {
  expect((await post('/restart', { by: 'ann' })).value).toMatchObject({
    deployment: { kind: 'restart', by: 'ann' },
    ticket: null,
  });
  expect(await post('/restart', {})).toMatchObject({
    status: 409,
    value: { fault: { code: 'operation-in-progress' } },
  });
  expect((await post('/restart', { otherwise: 'queue' })).value).toMatchObject({
    deployment: null,
    ticket: { number: 1, state: 'waiting' },
  });
  expect((await post('/queue/1/cancel', {})).value).toMatchObject({
    ticket: { state: 'cancelled' },
  });
  expect((await post('/queue/1/cancel', {})).status).toBe(409);
  expect((await post('/queue/9/cancel', {})).status).toBe(404);
});

it('freezes, tells what a deploy would do, and starts nothing', async () => {
  expect((await post('/freeze', { reason: 'the sale' })).value).toMatchObject({
    freeze: { reason: 'the sale', until: null },
  });
  const { configuration, version } = deployRequest(`sha256:${'2'.repeat(64)}`);
  expect(await post('/deployments', { configuration, version })).toMatchObject({
    status: 409,
    value: { fault: { code: 'deployments-frozen' } },
  });
  expect((await post('/forecast', { configuration })).value).toMatchObject({
    hindrance: { code: 'deployments-frozen' },
    forecast: { verdict: 'succeeded' },
  });
  expect((await post('/unfreeze', {})).value).toMatchObject({ freeze: null, waiting: [] });
  expect((await post('/unfreeze', {})).status).toBe(409);
});
