import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../edge/answer-check.ts';
import { type Contender, freePort, started } from '../edge/contender.ts';
import { writeBodies } from '../edge/origin.ts';
import { start } from '../edge/processes.ts';

/** What may be kept for an hour, by path; a query tells one from another. */
export const KEPT_BYTES = {
  small: 200,
  medium: 16 * 1024,
  megabyte: 1024 * 1024,
} as const;
/** Of 200 bytes too, for one client alone. */
export const PRIVATE_PATH = '/private';

const COUNT_PATH = '/requests';

/** An nginx with static files that says what may be kept, and how often it was asked. */
export async function startCountingOrigin(folder: string): Promise<Contender> {
  writeBodies(folder, KEPT_BYTES);
  const port = await freePort();
  const configuration = join(folder, 'origin.conf');
  writeFileSync(
    configuration,
    `daemon off; master_process off; pid ${folder}/origin.pid; error_log ${folder}/origin.log;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000000;
  open_file_cache max=16;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder};
    add_header Cache-Control "public, max-age=3600";
    location = ${PRIVATE_PATH} {
      add_header Cache-Control "private";
      alias ${folder}/small;
    }
    location = ${COUNT_PATH} { stub_status; }
  }
}
`,
  );
  const child = start('nginx', ['-p', folder, '-c', configuration]);
  return started('the origin (nginx)', port, child);
}

/** What `take` gives, of what was kept alone: throws where the origin was asked meanwhile. */
export async function ofKept<Figure>(
  origin: Contender,
  name: string,
  take: () => Promise<Figure>,
): Promise<Figure> {
  const before = await requestsOf(origin);
  const figure = await take();
  // It counts the question too.
  const asked = (await requestsOf(origin)) - before - 1;
  if (asked > 0) throw new Error(`${name} asked the origin ${asked} times for what it has kept`);
  return figure;
}

async function requestsOf(origin: Contender): Promise<number> {
  const { start: text } = await ask(origin, 'GET', COUNT_PATH, 0);
  const requests = /handled requests\s+\d+ \d+ (\d+)/.exec(text)?.[1];
  if (requests === undefined) throw new Error(`the origin does not say its count: ${text}`);
  return Number(requests);
}
