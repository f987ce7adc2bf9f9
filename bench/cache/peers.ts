import { join } from 'node:path';
import {
  haproxyWith,
  nginxWith,
  type Peer,
  type Place,
  versionOf,
  written,
} from '../edge/peers.ts';

/** Room for everything that is kept here, 1 MB each included. */
const KEPT_MEGABYTES = 256;

const nginxKeeping = (name: string, http: string, location: string): Peer =>
  nginxWith({
    name,
    http: ({ folder, port }: Place) =>
      `proxy_cache_path ${folder}/nginx-kept-${port} levels=1:2 keys_zone=kept:32m inactive=1h
    max_size=${KEPT_MEGABYTES}m use_temp_path=off;
  sendfile on; tcp_nopush on;
  ${http}`,
    location: `proxy_cache kept;
      ${location}`,
  });

/** As its manual has it; bodies are in files, which the page cache has. */
const nginx = nginxKeeping('nginx', '', '');

const nginxWithStatus = nginxKeeping(
  'nginx, X-Cache-Status',
  '',
  'add_header X-Cache-Status $upstream_cache_status;',
);

/** Files are opened once a minute, in place of once a request. */
const nginxWithOpenFiles = nginxKeeping(
  'nginx, open files',
  'open_file_cache max=20000 inactive=1h; open_file_cache_valid 60s;',
  '',
);

/** One pool of threads, of as many as the load has connections, and some. */
const varnish: Peer = {
  name: 'Varnish',
  install: 'apt-get install varnish',
  version: () => versionOf('varnishd', '-V'),
  command({ folder, port, originPort }) {
    const rules = written(
      folder,
      `varnish-${port}.vcl`,
      `vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "${originPort}"; }
`,
    );
    const threads = ['thread_pools=1', 'thread_pool_min=100', 'thread_pool_max=100'];
    const args = [
      ...['-F', '-j', 'none', '-n', join(folder, `varnish-${port}`)],
      ...['-a', `127.0.0.1:${port}`, '-f', rules, '-s', `malloc,${KEPT_MEGABYTES}m`],
      ...threads.flatMap((each) => ['-p', each]),
    ];
    return { program: 'varnishd', args };
  },
};

/** What fits into one of its buffers: 16 KB with the head. */
const haproxy = haproxyWith({
  sections: `cache kept
  total-max-size ${KEPT_MEGABYTES}
  max-object-size ${2 * 1024 * 1024}
  max-age 3600
  process-vary on`,
  frontend: `http-request cache-use kept
  http-response cache-store kept`,
});

export const peers: readonly Peer[] = [
  nginx,
  nginxWithStatus,
  nginxWithOpenFiles,
  varnish,
  haproxy,
];
