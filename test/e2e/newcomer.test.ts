import { once } from 'node:events';
import { request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DaemonView, EnvironmentView } from '../../src/model/view.ts';
import { House, REPOSITORY } from './support/house.ts';
import { listening } from './support/processes.ts';

/** The first minutes of somebody new: one line, and a real app runs behind the edge. */

const EXAMPLE = join(REPOSITORY, 'examples/what-is-the-time');
const DEFAULT_PORT = 8080;

describe('a newcomer', () => {
  let house: House;

  beforeEach(() => {
    house = new House();
  });

  afterEach(async ({ task }) => {
    await house.close(task.result?.state === 'fail');
  });

  test('brings the example up, looks at it, deploys it, takes it down', async () => {
    const up = await house.belay(['up', EXAMPLE]);
    expect(up).toMatchObject({ code: 0 });
    const url = /http:\/\/what-is-the-time\.localhost:(\d+)\//.exec(up.stdout);
    expect(url, up.stdout).not.toBeNull();
    const port = Number(url?.[1]);

    expect(await get(port, 'what-is-the-time.localhost')).toMatch(/^It is \d\d:\d\d:\d\d, says i-/);
    expect(await get(port, `127.0.0.1:${port}`)).toMatch(/^It is /);

    await expectStatus(house);
    await expectDeploy(house);
    expect(await house.belay(['up', EXAMPLE])).toMatchObject({ code: 0 });

    expect(await house.belay(['down', '--all', '--yes'])).toMatchObject({ code: 0 });
    const gone = await house.belay(['status', '--json']);
    expect(JSON.parse(gone.stdout)).toEqual({ environments: [] });
    const daemon = await house.belay(['daemon', 'status', '--json']);
    expect(JSON.parse(daemon.stdout)).toMatchObject({ pid: expect.any(Number) });
    expect(await house.belay(['daemon', 'stop'])).toMatchObject({ code: 0 });
    await house.expectNothingLeft();
    expect(await house.belay(['daemon', 'status'])).toMatchObject({ code: 5 });
  });

  test('is told which port it is when the usual one is taken', async () => {
    const holder = await hold(DEFAULT_PORT);
    try {
      const up = await house.belay(['up', EXAMPLE], { BELAY_HTTP: '' });
      expect(up).toMatchObject({ code: 0 });
      const status = await house.belay(['daemon', 'status', '--json']);
      const view = JSON.parse(status.stdout) as DaemonView;
      const port = view.edge?.listeners[0]?.port ?? 0;
      expect(port).not.toBe(DEFAULT_PORT);
      expect(up.stdout + up.stderr).toMatch(new RegExp(`8080.*${port}|${port}.*8080`, 's'));
      expect(up.stdout).toContain(`what-is-the-time.localhost:${port}/`);
    } finally {
      holder?.close();
    }
  });
});

/** The shape is an interface: scripts read it. */
async function expectStatus(house: House): Promise<void> {
  const status = await house.belay(['status', '--json']);
  expect(status).toMatchObject({ code: 0 });
  const { environments } = JSON.parse(status.stdout) as { environments: EnvironmentView[] };
  expect(environments).toHaveLength(1);
  const [environment] = environments;
  expect(environment).toMatchObject({
    application: 'what-is-the-time',
    environment: 'production',
    status: 'ready',
    health: 'ok',
    release: 1,
    version: 'v1',
    url: expect.stringMatching(/^http:\/\/what-is-the-time\.localhost:\d+\/$/),
  });
  const instances = environment?.instances ?? [];
  expect(instances.map(({ zone }) => zone).sort()).toEqual(['a', 'a', 'b']);
  for (const instance of instances) {
    house.instancePorts.add(instance.port ?? 0);
    expect(instance).toMatchObject({
      id: expect.stringMatching(/^i-[0-9a-f]{8}$/),
      state: 'in-service',
      release: 1,
      version: 'v1',
      health: 'healthy',
      reason: '',
      pid: expect.any(Number),
      port: expect.any(Number),
    });
  }
}

async function expectDeploy(house: House): Promise<void> {
  const deploy = await house.belay(['deploy', EXAMPLE, '--policy', 'rolling', '--json']);
  expect(deploy).toMatchObject({ code: 0 });
  const verdict: unknown = JSON.parse(deploy.stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(verdict).toMatchObject({
    verdict: 'succeeded',
    cause: null,
    receipt: {
      requests: expect.any(Number),
      lost: 0,
      retried: 0,
      drained: expect.any(Number),
      cut: 0,
      appErrors: 0,
      shed: 0,
    },
    steps: expect.any(Array),
  });
  const { receipt } = verdict as { receipt: object };
  expect(Object.keys(receipt)).toEqual(expect.arrayContaining(['p50Ms', 'p99Ms']));
}

async function get(port: number, host: string): Promise<string> {
  const outgoing = request({ host: '127.0.0.1', port, headers: { host }, agent: false });
  outgoing.end();
  const [response] = await once(outgoing, 'response');
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return text;
}

/** Takes a port, unless somebody else has it already. */
async function hold(port: number): Promise<Server | null> {
  if (listening([port]).length > 0) return null;
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
