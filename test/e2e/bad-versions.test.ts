import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AppOptions, Variant } from './support/app.ts';
import { House } from './support/house.ts';
import { difference, type Load, type LoadCounts, startLoad } from './support/load.ts';
import { isRunning } from './support/processes.ts';
import { until } from './support/until.ts';

/**
 * Versions that are no good: none gets a request before it is healthy, the deployment goes back and
 * says why, and whoever uses the old release notices nothing.
 */

const RATE_PER_SECOND = 50;
const SENT_AROUND = 25;
const START_TIMEOUT = '2s';
const LOG_LINES = 50;
const TWO = { min: 2, max: 4, zones: ['a', 'b'] };

interface BadVersion {
  name: string;
  variant: Omit<Variant, 'name' | 'record'>;
  options?: AppOptions;
  cause: RegExp;
  /** What the end of its log says. */
  log?: RegExp;
}

const badVersions: BadVersion[] = [
  {
    name: 'exits at boot',
    variant: { crash: 'exit', say: 80 },
    cause: /exited with code 3 before it was healthy/,
    log: /no such table: clothes/,
  },
  {
    name: 'is killed by a signal at boot',
    variant: { crash: 'signal' },
    cause: /killed by SIGSEGV.* before it was healthy/,
  },
  {
    name: 'has a start command that is not there',
    variant: {},
    options: { start: './run-the-shop' },
    cause: /could not be started \(.*run-the-shop/,
  },
  {
    name: 'never listens',
    variant: { listen: 'never' },
    cause: /was not healthy within 2 s: it never listened on its port \d+/,
  },
  {
    name: 'listens on another port',
    variant: { listen: 'elsewhere' },
    cause: /was not healthy within 2 s: it never listened on its port \d+/,
  },
  {
    name: 'answers 500 to health checks',
    variant: { health: 500 },
    cause: /was not healthy within 2 s: answered 500 to GET \/healthz/,
    log: /bad listens on \d+/,
  },
  {
    name: 'hangs on health checks',
    variant: { health: 'hang' },
    cause: /was not healthy within 2 s: no answer to GET \/healthz within 1 s/,
  },
  {
    name: 'floods its log',
    variant: { flood: true, listen: 'never' },
    options: { deploy: { startTimeout: '20s' } },
    cause: /wrote more than .* MB of log a second before it was healthy/,
  },
];
/** The rest are of the same kinds, and each takes the whole of its time to start. */
const OF_THE_NIGHT = [
  'is killed by a signal at boot',
  'listens on another port',
  'hangs on health checks',
];
const byDay = badVersions.filter(
  ({ name }) => process.env.BELAY_NIGHTLY || !OF_THE_NIGHT.includes(name),
);

describe('a version that', () => {
  const house = new House();
  let load: Load;
  let before: LoadCounts;
  let someFailed = true;

  beforeAll(async () => {
    await house.start();
    await house.deployed(house.app({ name: 'good' }, { capacity: TWO, drain: '200ms' }));
    load = startLoad({
      port: await house.port(),
      host: 'numbers.localhost',
      ratePerSecond: RATE_PER_SECOND,
      sockets: 2,
    });
    someFailed = false;
  });

  beforeEach(async () => {
    before = await load.pause();
    await load.send(SENT_AROUND);
  });

  afterEach(({ task }) => {
    someFailed ||= task.result?.state === 'fail';
  });

  afterAll(async () => {
    // There is none when the first deployment has failed.
    load?.kill();
    await house.close(someFailed);
  });

  test.each(byDay)('$name', async ({ variant, options, cause, log }) => {
    const record = house.file('requests');
    const directory = house.app(
      { name: 'bad', ...variant, record },
      { capacity: TWO, deploy: { startTimeout: START_TIMEOUT }, ...options },
    );

    const deployment = await house.deployed(directory);

    expect(deployment.state).toBe('rolled-back');
    expect(deployment.cause).toMatch(cause);
    expect(deployment.logTail.length).toBeLessThanOrEqual(LOG_LINES);
    if (log) expect(deployment.logTail.join('\n')).toMatch(log);
    expect(deployment.receipt).toMatchObject({ lost: 0, cut: 0, unaccounted: 0 });
    expect(existsSync(record) ? readFileSync(record, 'utf8') : '').toBe('');
    await expectUnharmed();
  });

  test('never listens gets nothing while another process holds its port', async () => {
    const directory = house.app(
      { name: 'bad', listen: 'never' },
      { capacity: TWO, deploy: { startTimeout: START_TIMEOUT } },
    );
    const number = await house.deploy(directory);
    const starting = async () =>
      (await house.environment()).instances.find(({ state, port }) => state === 'pending' && port);
    const instance = await until('one starts', starting, (found) => found !== undefined);
    const asked: string[] = [];
    const other = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('I am not it');
    });
    other.listen(instance?.port ?? 0, '127.0.0.1');
    await once(other, 'listening');

    const deployment = await house.settled(number);

    other.close();
    expect(deployment.state).toBe('rolled-back');
    expect(deployment.cause).toMatch(/never listened on its port/);
    expect(asked).toEqual([]);
    await expectUnharmed();
  });

  test('goes back exits with code 4 on the command line, and says why', async () => {
    const directory = house.app({ name: 'bad', crash: 'exit' }, { capacity: TWO });

    const deploy = await house.belay(['deploy', directory, '--json']);

    expect(deploy.code).toBe(4);
    const [verdict] = deploy.stdout.trimEnd().split('\n').slice(-1);
    expect(JSON.parse(verdict ?? '')).toMatchObject({
      verdict: 'rolled-back',
      cause: expect.stringMatching(/exited with code 3 before it was healthy/),
      receipt: { lost: 0, cut: 0 },
      logTail: expect.arrayContaining(['no such table: clothes']),
    });
    const again = await house.belay(['deploy', directory]);
    expect(again.code).toBe(4);
    expect(again.stdout + again.stderr).toMatch(/exited with code 3 before it was healthy/);
    expect(again.stdout + again.stderr).toContain('no such table: clothes');
    await expectUnharmed();
  });

  /** The old release has served all along, and serves. */
  async function expectUnharmed(): Promise<void> {
    await load.send(SENT_AROUND);
    const seen = difference(before, await load.pause());
    expect(seen.sent).toBeGreaterThan(SENT_AROUND);
    expect(seen.failures).toEqual([]);
    expect(seen.ok).toBe(seen.sent);
    expect(seen.sockets.closed).toBe(0);
    const view = await house.inService(2);
    expect(view.instances.map(({ release }) => release)).toEqual([1, 1]);
    expect(view).toMatchObject({ release: 1, status: 'ready' });
  }
});

describe('a version that is deaf to SIGTERM', () => {
  const house = new House();
  let load: Load | null = null;

  afterEach(async ({ task }) => {
    load?.kill();
    await house.close(task.result?.state === 'fail');
  });

  test('is left behind all the same, by SIGKILL after its grace', async () => {
    await house.start();
    const options = { capacity: TWO, drain: '200ms', stopGrace: '1s' };
    await house.deployed(house.app({ name: 'deaf', deaf: true }, options));
    const deaf = await house.inService(2);
    load = startLoad({
      port: await house.port(),
      host: 'numbers.localhost',
      ratePerSecond: RATE_PER_SECOND,
      sockets: 0,
    });
    await load.send(SENT_AROUND);

    const deployment = await house.deployed(house.app({ name: 'hearing' }, options));

    expect(deployment.state).toBe('succeeded');
    expect(deployment.receipt).toMatchObject({ lost: 0, cut: 0, unaccounted: 0 });
    for (const { pid } of deaf.instances) expect(pid !== null && isRunning(pid)).toBe(false);
    const stops = deployment.steps.filter(({ step }) => step.kind === 'terminate');
    expect(stops).toHaveLength(2);
    for (const { plannedAt, endedAt } of stops) {
      expect((endedAt ?? 0) - plannedAt).toBeGreaterThanOrEqual(1_000);
    }
    await load.send(SENT_AROUND);
    expect((await load.pause()).failures).toEqual([]);
  });
});
