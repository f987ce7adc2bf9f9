import { Agent, request } from 'node:http';
import { systemClock } from '../src/kernel/clock.ts';
import type { EnvironmentView } from '../src/model/view.ts';
import { type House, openHouse } from './house.ts';
import { type Row, report, row } from './report.ts';

/**
 * Two ways to scale on one machine: as many requests at a time by more instances, or by more threads
 * inside one. The app works as many do: each of its threads is busy with one request for 20 ms, and
 * all of a process share what it has loaded. `node bench/two-ways.ts [--json]`.
 */

const NAME = 'two-ways';
const WAYS = [
  { instances: 4, concurrency: 1 },
  { instances: 2, concurrency: 2 },
  { instances: 1, concurrency: 4 },
];
const LOADED_MB = 64;
const CONNECTIONS = 16;
const WINDOW_MS = 4_000;
const POLL_MS = 500;

const house = openHouse();
try {
  const rows: Row[] = [];
  for (const way of WAYS) rows.push(...(await measure(house, way)));
  report(rows);
} finally {
  await house.close();
}

async function measure(house: House, { instances, concurrency }: (typeof WAYS)[number]) {
  const name = `${instances} × ${concurrency}`;
  const folder = house.folder(`${NAME}-${instances}`, appFiles(instances, concurrency));
  await house.belay('up', folder);
  const { url } = await status(house);
  const port = Number(new URL(url).port);
  const steady = await load(port, () => {});
  const rssBytes = await memoryOf(house);
  const [victim] = (await status(house)).instances;
  const failing = await load(port, () => process.kill(victim?.pid ?? 0, 'SIGKILL'));
  return [
    row(`${name}: requests`, steady.answered / (WINDOW_MS / 1000), null, '/s'),
    row(`${name}: memory`, rssBytes / 1_048_576, null, 'MB'),
    row(`${name}: longest silence when one is killed`, failing.longestSilenceMs, null, 'ms'),
    row(`${name}: requests that failed then`, failing.failed, null, ''),
  ];
}

async function status(house: House): Promise<EnvironmentView> {
  const told = await house.belay('status', '--app', NAME);
  const [view] = (told as { environments: EnvironmentView[] }).environments;
  if (!view) throw new Error(`${NAME} is not there`);
  return view;
}

/** Of all instances, as soon as each has been measured. */
async function memoryOf(house: House): Promise<number> {
  for (;;) {
    const sizes = (await status(house)).instances.map(({ rssBytes }) => rssBytes);
    const measured = sizes.filter((bytes) => bytes !== null);
    if (measured.length === sizes.length) return measured.reduce((sum, bytes) => sum + bytes, 0);
    await systemClock.sleep(POLL_MS);
  }
}

interface Answers {
  answered: number;
  failed: number;
  longestSilenceMs: number;
}

/** Every connection asks again as soon as it is answered; a quarter into it, something happens. */
async function load(port: number, happening: () => void): Promise<Answers> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const answers: Answers = { answered: 0, failed: 0, longestSilenceMs: 0 };
  const end = systemClock.monotonic() + WINDOW_MS;
  let lastAt = systemClock.monotonic();
  systemClock.after(WINDOW_MS / 4, happening);
  const ask = async () => {
    while (systemClock.monotonic() < end) {
      const good = await get(port, agent);
      if (!good) {
        answers.failed += 1;
        continue;
      }
      const now = systemClock.monotonic();
      answers.answered += 1;
      answers.longestSilenceMs = Math.max(answers.longestSilenceMs, now - lastAt);
      lastAt = now;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, ask));
  agent.destroy();
  return answers;
}

function get(port: number, agent: Agent): Promise<boolean> {
  const headers = { host: `${NAME}.localhost` };
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, agent, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
    });
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

function appFiles(instances: number, concurrency: number): Record<string, string> {
  return {
    'package.json': `{ "name": "${NAME}", "private": true, "type": "module" }\n`,
    'belay.config.ts': `import { app } from 'belay';
export default app('${NAME}', {
  web: {
    start: 'node server.js',
    concurrency: ${concurrency},
    capacity: { min: ${instances}, max: ${instances} },
  },
});
`,
    'server.js': `import { createServer } from 'node:http';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

if (isMainThread) {
  const catalogue = new SharedArrayBuffer(${LOADED_MB} * 1024 * 1024);
  new Uint8Array(catalogue).fill(7);
  const idle = [];
  const waiting = [];
  const next = () => {
    while (idle.length > 0 && waiting.length > 0) {
      const worker = idle.pop();
      worker.response = waiting.shift();
      worker.postMessage(null);
    }
  };
  for (let count = Number(process.env.WEB_CONCURRENCY ?? 1); count > 0; count -= 1) {
    const worker = new Worker(new URL(import.meta.url), { workerData: catalogue });
    idle.push(worker);
    worker.on('message', (answer) => {
      worker.response.end(String(answer));
      idle.push(worker);
      next();
    });
  }
  createServer((request, response) => {
    waiting.push(response);
    next();
  }).listen(Number(process.env.PORT), process.env.HOST);
  process.once('SIGTERM', () => process.exit());
} else {
  const catalogue = new Uint8Array(workerData);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  parentPort.on('message', () => {
    Atomics.wait(pause, 0, 0, 20);
    parentPort.postMessage(catalogue[Math.floor(Math.random() * catalogue.length)]);
  });
}
`,
  };
}
