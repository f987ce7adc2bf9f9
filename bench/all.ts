import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../src/kernel/fault.ts';
import { type Row, report } from './report.ts';

/** Every measurement in turn, each in a process of its own: `npm run bench [-- --json]`. */

/** The edge and its cache in short: all of it is `npm run bench:edge` and `npm run bench:cache`. */
const MEASUREMENTS = [
  ['reconcile.ts'],
  ['metrics.ts', '--seconds', '30'],
  ['snapshot.ts'],
  ['idle.ts'],
  ['deploy.ts'],
  ['edge.ts', '--short'],
  ['cache.ts', '--short'],
];
/** Far longer than any of them takes. */
const TIMEOUT_MS = 10 * 60_000;

const rows: Row[] = [];
for (const [file = '', ...args] of MEASUREMENTS) {
  process.stderr.write(`bench/${file} …\n`);
  try {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [join(import.meta.dirname, file), ...args, '--json'],
      { timeout: TIMEOUT_MS },
    );
    process.stderr.write(stderr);
    rows.push(...(JSON.parse(stdout) as Row[]));
  } catch (thrown) {
    process.stderr.write(`bench/${file} failed: ${messageOf(thrown)}\n`);
    process.exitCode = 1;
  }
}
report(rows);
