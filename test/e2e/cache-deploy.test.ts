import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ledgerDifference } from '../../src/model/ledger.ts';
import { APPLICATION } from './support/app.ts';
import { House } from './support/house.ts';
import { until } from './support/until.ts';

/**
 * A version is replaced under load, with its page and what the page needs kept for an hour. Readers
 * load the one and then the other, as browsers do: whoever has the new page never gets what belonged
 * to the old one.
 */

const READERS = 8;
const HOST = `${APPLICATION}.localhost`;
const DEPLOYMENTS = process.env.BELAY_NIGHTLY ? 5 : 1;
const POLICIES = process.env.BELAY_NIGHTLY ? ['rolling', 'blue-green'] : ['rolling'];

let house: House;

let agent: Agent;

afterEach(async ({ task }) => {
  agent.destroy();
  await house.close(task.result?.state === 'fail');
});

const SERVER = `
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
const version = readFileSync(new URL('version', import.meta.url), 'utf8');
createServer((request, response) => {
  response.setHeader('Cache-Control', 'max-age=3600');
  response.end(version);
}).listen(Number(process.env.PORT), process.env.HOST);
`;

/** Writes a directory with a version of the app. */
function versionOf(number: number, policy: string): string {
  const directory = house.file(`v${number}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "type": "module", "private": true }\n');
  writeFileSync(join(directory, 'server.js'), SERVER);
  writeFileSync(join(directory, 'version'), String(number));
  const configuration = {
    web: {
      start: 'node server.js',
      health: { interval: '200ms', timeout: '200ms' },
      capacity: { min: 2, max: 4 },
      drain: '1s',
    },
    edge: { cache: true, cacheOnDeploy: 'switch' },
    deploy: { policy },
  };
  writeFileSync(
    join(directory, 'belay.config.ts'),
    `import { app } from 'belay';\nexport default app('${APPLICATION}', ${JSON.stringify(configuration)});\n`,
  );
  return directory;
}

function read(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent, headers: { host: HOST } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Number(text));
        else reject(new Error(`${response.statusCode} ${text}`));
      });
    }).on('error', reject);
  });
}

test.each(POLICIES)('%s: a new page never meets what belonged to the old one', async (policy) => {
  house = new House();
  agent = new Agent({ keepAlive: true, maxSockets: READERS });
  await house.start();
  await house.deployed(versionOf(1, policy));
  const port = await house.port();
  await until(
    'it answers',
    () => read(port, '/').catch(() => 0),
    (version) => version === 1,
  );
  const before = await house.ledger();
  let isOver = false;
  const pairs = new Map<string, number>();
  const readers = Array.from({ length: READERS }, async () => {
    while (!isOver) {
      const page = await read(port, '/');
      const script = await read(port, '/app.js');
      const pair = page === script ? 'same' : page < script ? 'old page, new script' : 'mixed';
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
  });
  let last = 1;
  for (; last <= DEPLOYMENTS; last += 1) {
    expect((await house.deployed(versionOf(last + 1, policy))).state).toBe('succeeded');
  }
  expect(await read(port, '/')).toBe(last);
  isOver = true;
  await Promise.all(readers);
  const { outcomes } = ledgerDifference(before, await house.ledger());
  console.log(Object.fromEntries(pairs), outcomes);
  expect(pairs.get('mixed')).toBeUndefined();
  expect(pairs.get('same')).toBeGreaterThan(100);
  expect(outcomes).toMatchObject({ lost: 0, cut: 0, 'app-error': 0 });
  expect(outcomes.cached).toBeGreaterThan(100);
});
