// Tells the time, and which instance told it. Plain Node, no dependencies.
// What it can be made to do wrong is in faults.js and in the README.
import { createServer } from 'node:http';
import { faults, flood } from './faults.js';
import { page } from './page.js';
import { acceptWebSocket } from './websocket.js';

const { PORT = '3000', HOST = '127.0.0.1' } = process.env;

// Longer than a load balancer keeps an idle connection (65 s), so that it is never this side that
// closes one just as a request arrives on it.
const KEEP_ALIVE_MS = 75_000;
const MAX_ECHO_BYTES = 10 * 1024 * 1024;

if (faults.crashAtBoot) {
  console.error('what-is-the-time: told to crash at boot');
  process.exit(1);
}

const sockets = new Set();
let stopping = false;

function answer() {
  const now = new Date();
  return {
    time: now.toISOString(),
    clock: now.toTimeString().slice(0, 8),
    instance: process.env.BELAY_INSTANCE ?? 'none',
    zone: process.env.BELAY_ZONE ?? 'none',
    release: Number(process.env.BELAY_RELEASE ?? 0),
    version: process.env.BELAY_VERSION ?? 'none',
    pid: process.pid,
  };
}

function send(response, status, type, body) {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    // A connection that is kept would keep this process, too.
    ...(stopping ? { connection: 'close' } : {}),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** A page for browsers, data for programs, one line for curl. */
function tellTime(request, response) {
  const accept = request.headers.accept ?? '';
  const facts = answer();
  if (request.url === '/api' || accept.includes('application/json')) {
    return send(response, 200, 'application/json', `${JSON.stringify(facts)}\n`);
  }
  if (accept.includes('text/html'))
    return send(response, 200, 'text/html; charset=utf-8', page(facts));
  const { clock, instance, zone, release, version } = facts;
  const line = `It is ${clock}, says ${instance} in zone ${zone}, release ${release}, version ${version}.\n`;
  return send(response, 200, 'text/plain; charset=utf-8', line);
}

function tellHealth(response) {
  if (faults.health === 'hang') return;
  const status = faults.health ?? 200;
  send(response, status, 'text/plain', status === 200 ? 'ok\n' : 'told to fail\n');
}

/** Gives the body back, with the same content type. */
function echo(request, response) {
  const chunks = [];
  let bytes = 0;
  request.on('data', (chunk) => {
    bytes += chunk.length;
    if (bytes <= MAX_ECHO_BYTES) chunks.push(chunk);
  });
  request.on('end', () => {
    if (bytes > MAX_ECHO_BYTES) return send(response, 413, 'text/plain', 'too large\n');
    const type = request.headers['content-type'] ?? 'application/octet-stream';
    return send(response, 200, type, Buffer.concat(chunks));
  });
}

function route(request, response) {
  const path = (request.url ?? '/').split('?')[0];
  if (path === '/healthz') return tellHealth(response);
  if (path === '/readyz')
    return send(response, stopping ? 503 : 200, 'text/plain', stopping ? 'stopping\n' : 'ready\n');
  if (path === '/echo' && request.method === 'POST') return echo(request, response);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, 405, 'text/plain', 'only GET here\n');
  if (path === '/' || path === '/api') return tellTime(request, response);
  return send(response, 404, 'text/plain', 'there is only the time here\n');
}

const server = createServer((request, response) => {
  const isProbe = request.url === '/healthz' || request.url === '/readyz';
  if (faults.slowMs > 0 && !isProbe) setTimeout(() => route(request, response), faults.slowMs);
  else route(request, response);
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.headersTimeout = KEEP_ALIVE_MS + 5_000;

server.on('upgrade', (request, socket, head) => {
  if (request.url !== '/ws')
    return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  return acceptWebSocket(request, socket, head);
});

server.on('error', (error) => {
  console.error(`what-is-the-time: ${error.message}`);
  process.exit(1);
});

/** Accepts no more, finishes what it has begun, and leaves. */
function stop() {
  if (stopping) return;
  stopping = true;
  console.log('stopping');
  for (const socket of sockets) socket.closeWebSocket?.();
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}

process.on('SIGTERM', () => {
  if (faults.deaf) console.log('does not hear SIGTERM');
  else stop();
});
process.on('SIGINT', stop);

function listen() {
  server.listen(Number(PORT), HOST, () => {
    console.log(`tells the time at http://${HOST}:${server.address().port}`);
  });
}

if (faults.flood) flood();
if (faults.neverListens) setInterval(() => {}, 1_000_000);
else setTimeout(listen, faults.bootMs);
