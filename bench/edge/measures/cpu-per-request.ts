import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bound, Row } from '../../report.ts';
import type { Contender } from '../contender.ts';
import { type Load, wrk } from '../load.ts';
import { type Bench, inTurn, type Measure, ratioAtMost, rowsBeside } from '../measure.ts';
import { cpuTimeUs } from '../processes.ts';

/**
 * CPU time of the proxy's own processes for each request: the figure that moves by a few per cent
 * where throughput moves by a factor of two.
 */

export const BROWSER_FIELDS = [
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

const POST_BYTES = 64 * 1024;
const POST_SCRIPT = `wrk.method = 'POST'
wrk.body = string.rep('x', ${POST_BYTES})
wrk.headers['Content-Type'] = 'application/octet-stream'
`;

const besideCaddyAndNode = { Caddy: ratioAtMost(0.5), 'http-proxy': ratioAtMost(0.35) };

const small = cpuPerRequest({
  name: 'small',
  title: 'GET 200 B, small head',
  load: () => ({ path: '/small' }),
  bounds: { HAProxy: ratioAtMost(1.5), ...besideCaddyAndNode },
});

const browser = cpuPerRequest({
  name: 'browser',
  title: 'GET 200 B, twelve browser headers',
  load: () => ({ path: '/small', fields: BROWSER_FIELDS }),
  bounds: { HAProxy: ratioAtMost(1.7), ...besideCaddyAndNode },
});

const medium = cpuPerRequest({
  name: 'medium',
  title: 'GET 16 KB',
  load: () => ({ path: '/medium' }),
  bounds: { HAProxy: ratioAtMost(2) },
});

const post = cpuPerRequest({
  name: 'post',
  title: 'POST 64 KB',
  load(folder) {
    const script = join(folder, 'post.lua');
    writeFileSync(script, POST_SCRIPT);
    return { path: '/receive', script };
  },
  bounds: { HAProxy: ratioAtMost(2) },
});

export const cpuMeasures: readonly Measure[] = [small, browser, medium, post];

interface Case {
  name: string;
  title: string;
  load(folder: string): Load;
  bounds: Readonly<Record<string, Bound>>;
}

function cpuPerRequest({ name, title, load, bounds }: Case): Measure {
  return {
    name,
    needs: ['wrk'],
    async run({ folder, ours, rivals, seconds, rounds }: Bench): Promise<Row[]> {
      const asked = load(folder);
      const figures = await inTurn([ours, ...rivals], rounds, (contender) =>
        cpuUsPerRequest(contender, asked, seconds),
      );
      return rowsBeside(`${title}: CPU per request`, figures, ours, 'µs', bounds);
    },
  };
}

export async function cpuUsPerRequest(
  contender: Contender,
  load: Load,
  seconds: number,
): Promise<number> {
  const before = cpuTimeUs(contender.pids);
  const { requests } = await wrk(contender, load, seconds);
  return (cpuTimeUs(contender.pids) - before) / requests;
}
