import { spawnSync } from 'node:child_process';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/kernel/fault.ts';
import { type Contender, freePort, started } from './contender.ts';
import { isInstalled, start } from './processes.ts';

/**
 * Whom we stand beside. All are set up alike: one thread, connections kept open on both sides, the
 * client named to the origin, no access log, room for ten thousand connections.
 */
export interface Peer {
  name: string;
  /** How to get it. */
  install: string;
  /** Null where it is not installed. */
  version(): string | null;
  command(place: Place): Command;
}

export interface Place {
  /** For what it keeps. */
  folder: string;
  port: number;
  originPort: number;
}

interface Command {
  program: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}

const CONNECTIONS = 10_500;
const HTTP_PROXY_PACKAGE = join(import.meta.dirname, '../../node_modules/http-proxy/package.json');

/** @param more sections of its own, and lines for the frontend */
export const haproxyWith = (more: { sections: string; frontend: string }): Peer => ({
  name: 'HAProxy',
  install: 'apt-get install haproxy',
  version: () => versionOf('haproxy', '-v'),
  command({ folder, port, originPort }) {
    const file = written(
      folder,
      `haproxy-${port}.cfg`,
      `global
  nbthread 1
  maxconn ${CONNECTIONS}
  no strict-limits
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout client 75s
  timeout server 60s
  timeout connect 3s
${more.sections}
frontend in
  bind 127.0.0.1:${port} backlog 4096
  ${more.frontend}
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort}
`,
    );
    return { program: 'haproxy', args: ['-db', '-q', '-f', file] };
  },
});

/** What a configuration of nginx has beside that of a proxy. */
interface NginxMore {
  name: string;
  http(place: Place): string;
  location: string;
}

export const nginxWith = (more: NginxMore): Peer => ({
  name: more.name,
  install: 'apt-get install nginx',
  version: () => versionOf('nginx', '-v'),
  command(place) {
    const { folder, port, originPort } = place;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const file = written(
      folder,
      `nginx-${port}.conf`,
      `daemon off; master_process off; pid ${folder}/nginx-${port}.pid; error_log ${folder}/nginx.log;
events { worker_connections ${CONNECTIONS * 2}; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 75s;
  client_body_buffer_size 128k;
  proxy_max_temp_file_size 0;
  ${temporary.map((what) => `${what}_temp_path ${folder}/nginx-${what};`).join('\n  ')}
  upstream origin { server 127.0.0.1:${originPort}; keepalive 512; keepalive_requests 1000000000; }
  ${more.http(place)}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      ${more.location}
    }
  }
}
`,
    );
    return { program: 'nginx', args: ['-p', folder, '-c', file] };
  },
});

const caddy: Peer = {
  name: 'Caddy',
  install: 'apt-get install caddy',
  version: () => versionOf('caddy', 'version'),
  command({ folder, port, originPort }) {
    const file = written(
      folder,
      `Caddyfile-${port}`,
      `{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${originPort} {
    transport http {
      keepalive_idle_conns_per_host 512
    }
  }
}
`,
    );
    const own = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    const args = ['run', '--config', file, '--adapter', 'caddyfile'];
    return { program: 'caddy', args, env: { ...own, GOMAXPROCS: '1' } };
  },
};

const nodeHttpProxy: Peer = {
  name: 'http-proxy',
  install: 'npm install',
  version: () =>
    existsSync(HTTP_PROXY_PACKAGE)
      ? (JSON.parse(readFileSync(HTTP_PROXY_PACKAGE, 'utf8')) as { version: string }).version
      : null,
  command({ port, originPort }) {
    const program = join(import.meta.dirname, 'http-proxy-process.ts');
    const args = ['--no-deprecation', program, `${port}`, `${originPort}`];
    return { program: process.execPath, args };
  },
};

export const peers: readonly Peer[] = [
  haproxyWith({ sections: '', frontend: '' }),
  nginxWith({ name: 'nginx', http: () => '', location: '' }),
  caddy,
  nodeHttpProxy,
];

export async function startPeer(
  peer: Peer,
  folder: string,
  originPort: number,
): Promise<Contender> {
  const port = await freePort();
  const { program, args, env } = peer.command({ folder, port, originPort });
  // Not on our own stderr: some have much to say.
  const log = join(folder, `${peer.name}-${port}.log`);
  const child = start(program, args, { env: env ?? {}, stderr: openSync(log, 'a') });
  try {
    return await started(peer.name, port, child);
  } catch (thrown) {
    throw new Error(`${messageOf(thrown)}\n${readFileSync(log, 'utf8').slice(-500)}`);
  }
}

export function versionOf(program: string, flag: string): string | null {
  if (!isInstalled(program)) return null;
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' });
  return /\d+\.\d+(?:\.\d+)*/.exec(stdout + stderr)?.[0] ?? 'of an unknown version';
}

export function written(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
