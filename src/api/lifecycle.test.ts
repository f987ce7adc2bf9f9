import { expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import { silentLog } from '../kernel/log.ts';
import { DEFAULT_GROUP } from '../model/group.ts';
import type { EnvironmentView, InstanceView } from '../model/view.ts';
import { openApiDocument } from './openapi.ts';
import { createApi } from './server.ts';

const PATH = '/v1/applications/shop/environments/production/instances';

it('answers an instance that waits, once', async () => {
  await using simulated = new SimulatedControl();
  await simulated.start();
  const launching = { heartbeatMs: 600_000, otherwise: 'abandon' as const };
  const group = { ...DEFAULT_GROUP, launching };
  await simulated.deploy('one', { web: { ...configuration.web, group } });
  const { control, clock } = simulated;
  const api = createApi({ control, clock, log: silentLog, stop: () => {} });
  const post = async (id: string, word: string, body: object = {}) => {
    const request = { method: 'POST', body: JSON.stringify(body) };
    const answer = await api.request(`${PATH}/${id}/${word}`, request);
    return { status: answer.status, value: (await answer.json()) as EnvironmentView };
  };
  const waiting = async (): Promise<InstanceView[]> =>
    (await simulated.status()).instances.filter(({ wait }) => wait !== null);
  await simulated.until('three wait', async () => (await waiting()).length === 3);
  const [first, second] = await waiting();
  const [id = '', other = ''] = [first?.id, second?.id];

  await clock.advance(300_000);
  const beating = await post(id, 'heartbeat', { by: 'ann' });
  const waitOf = (view: EnvironmentView) => view.instances.find((each) => each.id === id)?.wait;
  expect(waitOf(beating.value)?.endsAt).toBe((first?.wait?.endsAt ?? 0) + 300_000);
  expect(waitOf((await post(id, 'continue')).value)).toBeNull();
  expect(await post(id, 'continue')).toMatchObject({
    status: 409,
    value: { fault: { code: 'not-waiting' } },
  });
  expect((await post(other, 'abandon', { by: 'bob' })).status).toBe(200);
  expect((await post('i-ffffffff', 'continue')).status).toBe(404);
  expect((await post(id, 'continue', { answer: 'yes' })).status).toBe(400);
});

it('is part of the description of the API', () => {
  const { paths } = openApiDocument() as { paths: Record<string, unknown> };
  const known = Object.keys(paths).filter((path) => /\/(continue|abandon|heartbeat)$/.test(path));
  expect(known).toHaveLength(3);
});
