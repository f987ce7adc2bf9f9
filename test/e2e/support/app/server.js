// The app of the end-to-end tests: an ordinary Node server that gives back the number it is sent,
// with Node's own timeouts, and what variant.json wants it to do wrong.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { acceptWebSocket } from './websocket.js';

const variant = JSON.parse(readFileSync(new URL('variant.json', import.meta.url), 'utf8'));
const { PORT, HOST, BELAY_INSTANCE } = process.env;

// No handler otherwise: it is enough to die at once when there is nothing inside.
if (variant.deaf) process.on('SIGTERM', () => {});
if (variant.say) for (let line = 1; line <= variant.say; line += 1) console.log(`line ${line}`);
if (variant.crash === 'exit' || (variant.crashWhile && existsSync(variant.crashWhile))) {
  console.error('no such table: clothes');
  process.exit(3);
}
if (variant.crash === 'signal') process.kill(process.pid, 'SIGSEGV');

/** Uses the processor for so long, whoever else wants it. */
function burn(burnMs) {
  const start = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(start);
    if (user + system >= burnMs * 1000) return;
  }
}

/** Some take long, so that there is always something inside; some answer in two pieces. */
function giveBack(response, number, body) {
  const longer = Number(number) % 5 === 0;
  const inPieces = Number(number) % 7 === 0;
  response.setHeader('content-type', 'text/plain');
  response.setHeader('x-instance', BELAY_INSTANCE);
  response.setHeader('x-variant', variant.name);
  // A stride that is no divisor of what clients count by.
  if ((Number(number) * 37) % 100 < (variant.failPercent ?? 0)) response.statusCode = 500;
  if (variant.burnMs) {
    burn(variant.burnMs);
    setTimeout(() => response.end(body), variant.waitMs ?? 0);
    return;
  }
  const end = () => {
    if (!inPieces) return response.end(body);
    response.write(body.slice(0, 1));
    return setTimeout(() => response.end(body.slice(1)), 20);
  };
  if (longer) setTimeout(end, 80);
  else end();
}

function answer(request, response) {
  if (request.url === '/healthz') {
    if (variant.health === 'hang') return;
    response.statusCode = variant.health ?? 200;
    response.end('health');
    return;
  }
  if (variant.record) appendFileSync(variant.record, `${BELAY_INSTANCE} ${request.url}\n`);
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const number = request.headers['x-number'] ?? '0';
    giveBack(
      response,
      number,
      request.method === 'POST' ? Buffer.concat(chunks).toString() : number,
    );
  });
}

const server = createServer(answer);
server.on('upgrade', (request, socket, head) => {
  if (variant.record) appendFileSync(variant.record, `${BELAY_INSTANCE} ${request.url}\n`);
  acceptWebSocket(request, socket, head, `X-Instance: ${BELAY_INSTANCE}\r\n`);
});

if (variant.flood) {
  const lines = `${'x'.repeat(1023)}\n`.repeat(256);
  const write = () => process.stdout.write(lines, () => setImmediate(write));
  write();
}
if (variant.bootMs) await new Promise((resolve) => setTimeout(resolve, variant.bootMs));
if (variant.listen === 'never') setInterval(() => {}, 1_000_000);
else if (variant.listen === 'elsewhere') server.listen(0, HOST);
else server.listen(Number(PORT), HOST, () => console.log(`${variant.name} listens on ${PORT}`));
