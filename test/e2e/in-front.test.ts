import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import { ledgerDifference, noOutcomes } from '../../src/model/ledger.ts';
import { type App, startApp } from '../fixtures/live-edge.ts';
import { APPLICATION, ENVIRONMENT } from './support/app.ts';
import { House, where } from './support/house.ts';
import { difference, ended, type Load, startLoad } from './support/load.ts';
import { until } from './support/until.ts';

/**
 * The edge before a server that Belay did not start, for whatever name it is asked. What is wrong
 * with limits and rules is refused whole, and traffic goes on by what was there.
 */

const BAD_USAGE = 64;
const RATE_PER_SECOND = 100;
/** Requests around whatever is tried. */
const SENT_AROUND = 20;

const house = new House();
let server: App;
let port: number;
let load: Load;
let someFailed = true;

beforeAll(async () => {
  server = await startApp();
  await house.start();
  await house.deployed(inFront('first', "edge: { domains: ['*'] }"));
  port = await house.port();
  const host = 'shop.example:8080';
  load = startLoad({ port, host, ratePerSecond: RATE_PER_SECOND, sockets: 2 });
  await load.pause();
  someFailed = false;
});

afterEach(({ task }) => {
  someFailed ||= task.result?.state === 'fail';
});

afterAll(async () => {
  load?.kill();
  await house.close(someFailed);
  await server?.close();
});

/** Writes a directory whose application is the server. */
function inFront(name: string, more: string): string {
  const directory = house.file(name);
  mkdirSync(directory, { recursive: true });
  const web = `{ upstream: 'http://127.0.0.1:${server.port}', health: { path: '/healthz', interval: '100ms', timeout: '100ms' } }`;
  const text = `import { app } from 'belay';\n\nexport default app('${APPLICATION}', {\n  web: ${web},\n  ${more},\n});\n`;
  writeFileSync(join(directory, 'belay.config.ts'), text);
  return directory;
}

function statusOf(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, headers: { host } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    }).on('error', reject);
  });
}

describe('in front of a server that Belay did not start', () => {
  test.each(['a.example', '127.0.0.1', '[::1]:80', 'shop.localhost', 'x.y.z'])(
    'the edge answers to %s',
    async (host) => {
      expect(await statusOf(host)).toBe(200);
    },
  );

  test('a server that goes is told, and is back when it comes back', async () => {
    const health = async () => (await house.environment()).health;
    server.answer.health = 503;
    await until('it is severe', health, (seen) => seen === 'severe');
    expect((await house.environment()).cause).toContain('answered 503 to GET /healthz');
    // It was well once, so it is asked while there is no other.
    expect(await statusOf('a.example')).toBe(200);
    server.answer.health = 200;
    await until('it is ok', health, (seen) => seen === 'ok');
  });
});

interface Attempt {
  name: string;
  try(): Promise<string>;
  /** All that is said, not only the first. */
  says: RegExp[];
}

/** What a command that was refused said. */
async function refusedCommand(args: readonly string[]): Promise<string> {
  const { code, stderr, stdout } = await house.belay(args);
  expect(code, stdout + stderr).toBe(BAD_USAGE);
  return stderr;
}

async function refusedCall(call: Promise<unknown>): Promise<string> {
  const refusal = await call.then(
    () => 'it was accepted',
    (thrown: unknown) => String(thrown),
  );
  expect(refusal).not.toBe('it was accepted');
  return refusal;
}

const attempts: Attempt[] = [
  {
    name: 'limits in the configuration',
    try: () =>
      refusedCommand([
        'deploy',
        inFront(
          'bad-limits',
          "edge: { domains: ['*'], maxConcurrency: 0, queue: { length: -1, wait: '10' }, timeouts: { answer: '1ms' }, limits: { body: 5, requestsPerSecond: 0 } }",
        ),
      ]),
    says: [
      /edge\.maxConcurrency is 0/,
      /edge\.queue\.length is -1/,
      /edge\.queue\.wait/,
      /edge\.timeouts\.answer/,
      /edge\.limits\.body/,
      /edge\.limits\.requestsPerSecond/,
    ],
  },
  {
    name: 'rules in the configuration',
    try: () =>
      refusedCommand([
        'deploy',
        inFront('bad-rules', "edge: { domains: ['http://Shop'], domain: '*', balance: 'x' }"),
      ]),
    says: [/http:\/\/Shop/, /did you mean 'domains'/, /edge\.balance/],
  },
  {
    name: 'limits of the edge as a whole',
    try: () =>
      refusedCommand([
        ...['edge', 'set', '--head-size', '1b', '--head-timeout', '0ms'],
        ...['--trusted-proxies', '10.0.0.0/33', '--workers', '0'],
      ]),
    says: [/head-size/, /head-timeout/, /trusted-proxies/, /workers/],
  },
  {
    name: 'a configuration that did not pass the command line',
    async try() {
      const { configuration } = loadConfiguration(house.file('first'), ENVIRONMENT);
      const { traffic } = configuration;
      const balancing = { ...traffic.balancing, maxConcurrency: 0 };
      const admission = { ...traffic.admission, queueLength: -1 };
      const body = {
        configuration: { ...configuration, traffic: { ...traffic, balancing, admission } },
        version: null,
      };
      return await refusedCall(house.client.call('deploy', { params: where, body }));
    },
    says: [/maxConcurrency/],
  },
  {
    name: 'settings that did not pass the command line',
    async try() {
      const { settings } = await house.client.call('edgeSettings');
      const body = { ...settings, connections: 0 };
      return await refusedCall(house.client.call('setEdgeSettings', { body }));
    },
    says: [/connections/],
  },
  {
    name: 'a rule for a name that another environment has',
    async try() {
      const { configuration } = loadConfiguration(house.file('first'), ENVIRONMENT);
      const params = { ...where, environment: 'staging' };
      return await refusedCall(
        house.client.call('deploy', { params, body: { configuration, version: null } }),
      );
    },
    says: [/\* already belongs to numbers\/production/],
  },
];

describe('bad limits and rules are refused whole, and traffic goes on', () => {
  for (const { name, try: tryIt, says } of attempts)
    test(name, async () => {
      const before = await standing();
      await load.send(SENT_AROUND);
      const said = await tryIt();
      await load.send(SENT_AROUND);
      const after = await standing();
      for (const each of says) expect.soft(said).toMatch(each);
      const { counts: countsBefore, ledger: ledgerBefore, ...stood } = before;
      const { counts, ledger, ...stands } = after;
      expect(stands).toEqual(stood);
      const seen = difference(countsBefore, counts);
      expect(seen.failures).toEqual([]);
      expect(seen.sockets).toMatchObject({ open: 2, closed: 0 });
      const { outcomes } = ledgerDifference(ledgerBefore, ledger);
      expect(outcomes).toEqual({ ...noOutcomes(), ok: ended(seen) });
    });
});

/** What must not change, and the counts. */
async function standing() {
  const counts = await load.pause();
  const { settings } = await house.client.call('edgeSettings');
  const { edge } = await house.client.call('daemon');
  const { release, deployment } = await house.environment();
  return {
    counts,
    ledger: await house.ledger(),
    settings,
    snapshot: edge?.snapshot,
    workers: edge?.workers,
    release,
    deployment: deployment?.number,
  };
}
