import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Contender, startEdge, startHaproxy, startOrigin } from './edge/contenders.ts';
import { cpuTimeUs, isInstalled } from './edge/processes.ts';
import { median, type Row, report, row } from './report.ts';

/**
 * CPU time per proxied request, ours against HAProxy's in the same run: the figure that moves by a
 * few per cent where throughput moves by a factor of two. `node bench/edge.ts [--json]`.
 */

const SECONDS = Number(process.env.BELAY_BENCH_SECONDS ?? 4);
/** Rounds in turn, ours and theirs, so that what else runs hits both; the median of each counts. */
const ROUNDS = Number(process.env.BELAY_BENCH_ROUNDS ?? 5);

const BROWSER_FIELDS = [
  'User-Agent: Mozilla/5.0 (X11; Linux x64_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language: en-GB,en;q=0.9,de;q=0.7',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Cookie: session=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0; theme=dark; consent=1',
  'Referer: http://bench.localhost/catalogue/shirts?page=2',
  'Cache-Control: max-age=0',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: same-origin',
  'Upgrade-Insecure-Requests: 1',
  'DNT: 1',
];

const cases = [
  { name: 'tiny request', path: 'small', fields: [] },
  { name: 'browser request', path: 'small', fields: BROWSER_FIELDS },
  { name: '16 KB response', path: 'medium', fields: [] },
];

async function measure(contender: Contender, path: string, fields: string[]): Promise<number> {
  const before = cpuTimeUs(contender.pid);
  const { stdout } = await promisify(execFile)('wrk', [
    ...['-t1', '-c32', `-d${SECONDS}s`, '-H', 'Host: bench.localhost'],
    ...fields.flatMap((field) => ['-H', field]),
    `http://127.0.0.1:${contender.port}/${path}`,
  ]);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  if (!(requests > 0) || /Non-2xx|Socket errors/.test(stdout)) {
    throw new Error(`wrk against ${contender.name} failed:\n${stdout}`);
  }
  return (cpuTimeUs(contender.pid) - before) / requests;
}

async function compare(ours: Contender, peer: Contender): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, path, fields } of cases) {
    const oursUs: number[] = [];
    const peerUs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      peerUs.push(await measure(peer, path, fields));
      oursUs.push(await measure(ours, path, fields));
    }
    const title = `edge: CPU per proxied request, ${name}, vs ${peer.name}`;
    rows.push(row(title, median(oursUs), median(peerUs), 'µs'));
    process.stderr.write(`${name}: ours ${spread(oursUs)}, ${peer.name} ${spread(peerUs)} µs\n`);
  }
  return rows;
}

/** From the lowest to the highest, which tells how noisy the machine was. */
const spread = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(1)}–${Math.max(...values).toFixed(1)}`;

async function main(): Promise<void> {
  const missing = ['wrk', 'haproxy'].filter((program) => !isInstalled(program));
  if (missing.length > 0) {
    process.stderr.write(`SKIPPED bench/edge: not installed: ${missing.join(', ')}\n`);
    if (process.argv.includes('--json')) process.stdout.write('[]\n');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'belay-bench-'));
  // nginx serves as nobody when it is started by root.
  chmodSync(folder, 0o755);
  const running: Contender[] = [];
  try {
    const bodies = { small: 'x'.repeat(194), medium: 'x'.repeat(16 * 1024) };
    const origin = await startOrigin(folder, bodies);
    running.push(origin);
    const peer = await startHaproxy(folder, origin.port);
    running.push(peer);
    const ours = await startEdge(folder, origin.port);
    running.push(ours);
    report(await compare(ours, peer));
  } finally {
    for (const contender of running.reverse()) await contender.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
