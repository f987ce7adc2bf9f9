import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median } from '../../report.ts';
import type { Contender } from '../contender.ts';
import { HOST } from '../load.ts';
import { inTurn, type Measure, ratioAtLeast, rowsBeside } from '../measure.ts';
import { BODY_BYTES } from '../origin.ts';

/** Downloads on one connection, of which the median counts. */
const DOWNLOADS = 5;

/** How fast 100 MB come through, to curl on one connection. */
export const download: Measure = {
  name: 'download',
  needs: ['curl'],
  async run({ ours, rivals, rounds }) {
    const figures = await inTurn([ours, ...rivals], rounds, megabytesPerSecond);
    const bounds = { HAProxy: ratioAtLeast(0.5) };
    return rowsBeside('100 MB download: throughput', figures, ours, 'MB/s', bounds);
  },
};

async function megabytesPerSecond({ name, port }: Contender): Promise<number> {
  const { stdout } = await promisify(execFile)('curl', [
    ...['--silent', '--show-error', '--header', `Host: ${HOST}`],
    ...['--write-out', '%{http_code} %{size_download} %{speed_download}\\n'],
    ...['--output', '/dev/null', `http://127.0.0.1:${port}/large?[1-${DOWNLOADS}]`],
  ]);
  const speeds = stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [status, sizeBytes, bytesPerSecond] = line.split(' ').map(Number);
      if (status !== 200 || sizeBytes !== BODY_BYTES.large) {
        throw new Error(`a download through ${name} gave ${status} and ${sizeBytes} bytes`);
      }
      return (bytesPerSecond ?? 0) / 1e6;
    });
  return median(speeds);
}
