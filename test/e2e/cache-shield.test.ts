import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { APPLICATION } from './support/app.ts';
import { House } from './support/house.ts';
import { kill, processesOf } from './support/processes.ts';
import { until } from './support/until.ts';

/**
 * Two homes, as they would be on two machines: a point of presence, whose upstream is the edge of the
 * other, and behind that the origin. By the commands that `docs/cache.md` names.
 */

const HOST = 'shop.example';

let origin: Server;
let text = 'first';
let asked = 0;
const shield = new House();
const presence = new House();
let someFailed = true;

beforeAll(async () => {
  origin = createServer(({ url }, response) => {
    if (url === '/page') asked += 1;
    response.writeHead(200, { 'Cache-Control': 'max-age=3600', 'Content-Length': text.length });
    response.end(text);
  }).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  await Promise.all([shield.start(), presence.start()]);
  await deploy(
    shield,
    `{ upstream: 'http://127.0.0.1:${port}', health: { interval: '1h' } }`,
    'true',
  );
  await belay(shield, 'edge', 'set', '--zone', 'nyc', '--trusted-proxies', '127.0.0.1');
  const upstream = `['http://127.0.0.1:${await shield.port()}', 'http://127.0.0.1:${port}']`;
  await deploy(
    presence,
    `{ upstream: ${upstream}, health: { path: '*', interval: '200ms', timeout: '200ms' } }`,
    `{ '/*': { ttl: { max: '1s' } } }`,
  );
  await belay(presence, 'edge', 'set', '--zone', 'fra');
  someFailed = false;
});

afterAll(async () => {
  origin?.closeAllConnections();
  await Promise.all([shield.close(someFailed), presence.close(someFailed)]);
  origin?.close();
});

async function deploy(house: House, web: string, cache: string): Promise<void> {
  const directory = house.file('front');
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    join(directory, 'belay.config.ts'),
    `import { app } from 'belay';\nexport default app('${APPLICATION}', { web: ${web}, edge: { domains: ['*'], cache: ${cache} } });\n`,
  );
  await house.deployed(directory);
}

async function belay(house: House, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await house.belay(words);
  expect(code, `${words.join(' ')}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** Edges start each other anew, so that it takes more than one look. @returns how many there were */
function killAll(): number {
  const left = processesOf(shield.home);
  for (const { pid } of left) kill(pid);
  return left.length;
}

interface Answer {
  status: number;
  body: string;
  cacheStatus: string;
}

async function ask(path: string): Promise<Answer> {
  const port = await presence.port();
  return await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers: { host: HOST } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        body += piece;
      });
      const cacheStatus = String(response.headers['cache-status']);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, cacheStatus }));
    }).on('error', reject);
  });
}

test('the shield answers what the point of presence has not, and the origin is asked once', async () => {
  const first = await ask('/page');
  expect(first).toMatchObject({ status: 200, body: 'first' });
  expect(first.cacheStatus).toMatch(
    /^belay-nyc; fwd=uri-miss.*stored, belay-fra; fwd=uri-miss.*stored/,
  );
  const again = () => ask('/page');
  const isAsked = ({ cacheStatus }: Answer) =>
    /belay-fra; fwd=stale; fwd-status=\d+/.test(cacheStatus);
  expect((await until('the point of presence asks', again, isAsked)).body).toBe('first');
  expect(asked).toBe(1);
  expect(await presence.environment()).toMatchObject({ health: 'ok' });
});

test('what is purged at the shield is gone everywhere a moment later', async () => {
  text = 'second';
  await belay(shield, 'cache', 'purge', '-a', APPLICATION, '--path', '/page');
  const answer = await until(
    'it is new',
    () => ask('/page'),
    ({ body }) => body === 'second',
  );
  expect(answer.cacheStatus).toMatch(/^belay-nyc; fwd=uri-miss/);
});

test('without the shield the origin is asked, and without both there is what is kept', async () => {
  await until('its machine is gone', killAll, (left) => left === 0);
  text = 'third';
  const answer = await until(
    'it is new',
    () => ask('/page'),
    ({ body }) => body === 'third',
  );
  expect(answer.cacheStatus).toMatch(/^belay-fra; fwd=/);
  const isWarned = ({ health }: { health: string }) => health === 'warning';
  const { cause } = await until('it says so', () => presence.environment(), isWarned);
  expect(cause).toMatch(
    /^not all addresses are healthy: http:\/\/127\.0\.0\.1:\d+: connection refused$/,
  );
  origin.close();
  origin.closeAllConnections();
  const isOut = ({ cacheStatus }: Answer) => cacheStatus.includes('detail=no-target');
  expect((await until('it is out', () => ask('/page'), isOut)).body).toBe('third');
  expect(await ask('/another')).toMatchObject({ status: 502 });
});
