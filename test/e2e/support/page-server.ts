/**
 * An app whose pages may be kept for a second, in a process of its own, so that it can be stopped and
 * killed. Each page answers with its path. It tells its port over the IPC channel.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  const body = request.url ?? '';
  response.writeHead(200, {
    'Cache-Control': 'max-age=1, stale-if-error=3600',
    'Content-Length': body.length,
    'X-Instance': 'page-server',
  });
  response.end(body);
});

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
