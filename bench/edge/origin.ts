import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, freePort, started } from './contender.ts';
import { isInstalled, start } from './processes.ts';

/** What the origin answers with, by path. A POST to `/receive` is answered with its length. */
export const BODY_BYTES = {
  small: 200,
  medium: 16 * 1024,
  large: 100 * 1024 * 1024,
} as const;

/** nginx where there is one, because it costs least; else a Node server. Its CPU is not counted. */
export async function startOrigin(folder: string): Promise<Contender> {
  writeBodies(folder, BODY_BYTES);
  const port = await freePort();
  if (isInstalled('nginx')) return startNginx(folder, port);
  process.stderr.write('nginx is not installed: the origin is a Node server, which costs more\n');
  const program = join(import.meta.dirname, 'origin-process.ts');
  const child = start(process.execPath, [program, `${port}`, folder]);
  return started('the origin (Node)', port, child);
}

export function writeBodies(folder: string, bodies: Readonly<Record<string, number>>): void {
  for (const [name, sizeBytes] of Object.entries(bodies)) {
    const file = join(folder, name);
    // Small ones of letters; a large one of holes, which take no room.
    writeFileSync(file, 'x'.repeat(Math.min(sizeBytes, BODY_BYTES.medium)));
    truncateSync(file, sizeBytes);
  }
}

/**
 * A static file has no POST, and a fixed answer would not wait for the body: so it is read whole, as
 * for a proxied request, and the server it is proxied to is the same one.
 */
function startNginx(folder: string, port: number): Promise<Contender> {
  const configuration = join(folder, 'origin.conf');
  writeFileSync(
    configuration,
    `daemon off; master_process off; pid ${folder}/origin.pid; error_log ${folder}/origin.log;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000000;
  open_file_cache max=16;
  client_body_temp_path ${folder}/origin-bodies;
  upstream itself { server 127.0.0.1:${port}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder};
    location = /large { sendfile on; tcp_nopush on; }
    location = /receive {
      client_body_buffer_size 128k;
      proxy_pass http://itself/received;
      proxy_method GET;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_set_header X-Received $content_length;
    }
    location = /received { return 200 $http_x_received; }
  }
}
`,
  );
  const child = start('nginx', ['-p', folder, '-c', configuration]);
  return started('the origin (nginx)', port, child);
}
