import type { Hono } from 'hono';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SimulatedControl } from '../../test/support/simulated-control.ts';
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

async function ask(method: string, path: string, body?: unknown) {
  const answer = await api.request(`${PATH}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, value: (await answer.json()) as Record<string, unknown> };
}

const expires = () => Math.floor(simulated.clock.now() / 1_000) + 60;

it('signs what is asked for, and nothing that is malformed', async () => {
  const good = { path: '/videos/*', expires: expires() };
  expect(await ask('POST', '/tokens', good)).toMatchObject({
    status: 200,
    value: { key: 'k1', needed: false, token: expect.stringMatching(/^k1\.[\w-]+\.[\w-]{43}$/) },
  });
  for (const change of [
    { path: 'videos/*' },
    { path: '/a#b' },
    { path: '/a\r\nb' },
    { path: '/a//b' },
    { expires: 'soon' },
    { expires: 1 },
    { starts: expires() + 60 },
    { address: '10.0.0.0/33' },
    { addresses: [] },
  ]) {
    expect(await ask('POST', '/tokens', { ...good, ...change })).toMatchObject({ status: 400 });
  }
});

it('makes and takes back keys', async () => {
  await ask('POST', '/tokens', { path: '/*', expires: expires() });
  const rotated = await ask('POST', '/signing-keys', { by: 'ann' });
  expect(rotated).toMatchObject({ status: 200, value: { keys: [{ id: 'k2' }, { id: 'k1' }] } });
  expect(await ask('DELETE', '/signing-keys/k2')).toMatchObject({ status: 409 });
  expect(await ask('DELETE', '/signing-keys/k9')).toMatchObject({ status: 404 });
  expect(await ask('DELETE', '/signing-keys/k1?by=ann')).toMatchObject({
    status: 200,
    value: { keys: [{ id: 'k2' }], snapshot: simulated.edge.snapshot?.number },
  });
  expect(await ask('GET', '/signing-keys')).toMatchObject({
    status: 200,
    value: { keys: [{ id: 'k2', secret: expect.stringMatching(/^[0-9a-f]{64}$/) }] },
  });
});
