import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

/** A proxy as its readme shows it, with connections to the origin kept: for comparison only. */
const [, , port = '', originPort = ''] = process.argv;

const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${originPort}`,
  agent: new Agent({ keepAlive: true, maxFreeSockets: 512 }),
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response && !response.headersSent) response.writeHead(502);
  response.end();
});

const server = createServer((request, response) => proxy.web(request, response));
server.keepAliveTimeout = 75_000;
server.listen(Number(port), '127.0.0.1', 4_096);
