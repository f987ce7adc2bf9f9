import { createServer } from 'node:net';

/** Answers whatever it is told with the same few bytes: what a connection costs Node by itself. */
const [, , port = ''] = process.argv;
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

createServer((socket) => {
  socket.on('data', () => socket.write(ANSWER, 'latin1'));
  socket.on('error', () => socket.destroy());
}).listen({ port: Number(port), host: '127.0.0.1', backlog: 4_096 });
