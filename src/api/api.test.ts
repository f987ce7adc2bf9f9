import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedControl } from '../../test/support/simulated-control.ts';
import { systemClock } from '../kernel/clock.ts';
import type { FaultJson } from '../kernel/fault.ts';
import { silentLog } from '../kernel/log.ts';
import type { BelayEvent } from '../model/event.ts';
import { createClient } from './client.ts';
import { routes } from './routes.ts';
import { createApi, listenApi } from './server.ts';

let simulated: SimulatedControl;
let api: Hono;

beforeEach(async () => {
  simulated = new SimulatedControl();
  await simulated.start();
  api = createApi({
    control: simulated.control,
    clock: systemClock,
    log: silentLog,
    stop: () => {},
  });
});

afterEach(async () => {
  await simulated[Symbol.asyncDispose]();
});

async function faultOf(answer: Response): Promise<FaultJson> {
  return ((await answer.json()) as { fault: FaultJson }).fault;
}

const post = (path: string, body: string) => api.request(path, { method: 'POST', body });

describe('the API', () => {
  it('says that a route is unknown, as a fault', async () => {
    const answer = await api.request('/v1/nothing');
    expect(answer.status).toBe(404);
    expect(await faultOf(answer)).toMatchObject({ code: 'unknown-route', retryable: false });
  });

  it('says which key of a body is wrong, and does nothing', async () => {
    const answer = await post('/v1/daemon/stop', '{"edge":"yes"}');
    expect(answer.status).toBe(400);
    const fault = await faultOf(answer);
    expect(fault.code).toBe('bad-request');
    expect(fault.details).toMatchObject({ problems: [{ path: 'body.edge' }] });
  });

  it('refuses a body with a key it does not know, and one that is not JSON', async () => {
    const unknown = await faultOf(await post('/v1/daemon/stop', '{"force":true}'));
    expect([unknown.code, unknown.message]).toEqual([
      'bad-request',
      expect.stringMatching('force'),
    ]);
    expect(await faultOf(await post('/v1/daemon/stop', '{'))).toMatchObject({
      code: 'bad-request',
    });
  });

  it('answers for what control refuses with control’s own fault', async () => {
    const answer = await api.request('/v1/applications/shop/environments/production');
    expect(answer.status).toBe(404);
    expect(await faultOf(answer)).toMatchObject({
      code: 'unknown-environment',
      subject: 'shop/production',
      hint: expect.stringMatching('belay up'),
    });
  });

  it('describes every route in its OpenAPI document', async () => {
    const document = (await (await api.request('/v1/openapi.json')).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string; responses: object }>>;
    };
    expect(document.openapi).toBe('3.1.0');
    const described = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(described).toEqual(expect.arrayContaining(Object.keys(routes)));
  });
});

describe('over its socket, the API', () => {
  let folder: string;
  let server: Server;
  let socket: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ba-'));
    socket = join(folder, 'belay.sock');
    server = await listenApi(api, socket);
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  it('is for its owner alone', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  it('refuses to take the socket of a daemon that answers', async () => {
    await expect(listenApi(api, socket)).rejects.toMatchObject({ code: 'home-in-use' });
  });

  it('gives the typed client answers, and faults as they were thrown', async () => {
    const client = createClient(socket);
    expect((await client.call('environments')).environments).toEqual([]);
    const params = { application: 'shop', environment: 'production' };
    await expect(client.call('environment', { params })).rejects.toMatchObject({
      code: 'unknown-environment',
      hint: expect.any(String),
    });
  });

  it('replays the events after the last one its reader has seen', async () => {
    const said = ['first', 'second', 'third'].map((message) =>
      simulated.store.appendEvent({ severity: 'info', type: 'said', message }, 0),
    );
    const seen = said[0]?.id ?? 0;
    const stop = new AbortController();
    const messages: string[] = [];
    const events = createClient(socket).stream<BelayEvent>('/v1/events/stream', {
      lastEventId: seen,
      signal: stop.signal,
    });
    for await (const { id, message } of events) {
      expect(id).toBeGreaterThan(seen);
      messages.push(message);
      if (messages.length === 2) stop.abort();
    }
    expect(messages).toEqual(['second', 'third']);
  });
});

it('tells who asks a daemon that is not there how to start one', async () => {
  const client = createClient(join(tmpdir(), 'no-such-belay.sock'));
  await expect(client.call('daemon')).rejects.toMatchObject({
    code: 'daemon-unreachable',
    retryable: true,
  });
});
