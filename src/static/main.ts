/**
 * The program that an instance of a static site runs: `main.ts [DIRECTORY]`, with PORT and HOST in
 * its environment. SIGTERM means finish what is open and leave.
 */
import { resolve } from 'node:path';
import { fileServer } from './file-server.ts';

const directory = resolve(process.argv[2] ?? '.');
const host = process.env.HOST ?? '127.0.0.1';
const port = Number(process.env.PORT ?? 0);

const server = fileServer(directory);
// Long, so that it is the edge that closes an unused connection: the other way round, a request
// may be on its way to a connection that is just being closed.
server.keepAliveTimeout = 75_000;

server.on('error', (error) => {
  console.error(`cannot listen on ${host}:${port}: ${error.message}`);
  process.exitCode = 1;
});
server.listen(port, host, () => {
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  console.log(`serving ${directory} on http://${host}:${bound}`);
});

process.once('SIGTERM', leave);
process.once('SIGINT', leave);

/** What is being answered goes on to its end; connections without a request are closed. */
function leave(): void {
  server.keepAliveTimeout = 1;
  server.close();
  server.closeIdleConnections();
}
