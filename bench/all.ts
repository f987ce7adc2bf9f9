import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../src/kernel/fault.ts';
import { type Row, report } from './report.ts';

/** Every measurement in turn, each in a process of its own: `npm run bench [-- --json]`. */

const MEASUREMENTS = ['reconcile.ts', 'idle.ts', 'deploy.ts', 'edge.ts'];
/** Far longer than any of them takes. */
const TIMEOUT_MS = 5 * 60_000;

const rows: Row[] = [];
for (const file of MEASUREMENTS) {
  process.stderr.write(`bench/${file} …\n`);
  try {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [join(import.meta.dirname, file), '--json'],
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
