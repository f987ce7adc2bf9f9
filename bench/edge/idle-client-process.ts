import { connect } from 'node:net';
import { HOST } from './load.ts';

/** Opens so many connections, asks once on each, says `open`, and holds them until it is ended. */
const [, , port = '', count = ''] = process.argv;

const REQUEST = `GET /small HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: idle\r\nAccept: */*\r\n\r\n`;
/** At a time, as from a crowd that comes at once. */
const OPENING = 128;

let begun = 0;
let answered = 0;

function openOne(): void {
  if (begun === Number(count)) return;
  begun += 1;
  const socket = connect(Number(port), '127.0.0.1');
  let text = '';
  const onData = (bytes: Buffer): void => {
    text += bytes.toString('latin1');
    const head = text.indexOf('\r\n\r\n');
    const length = /content-length: (\d+)/i.exec(text)?.[1];
    if (head === -1 || text.length < head + 4 + Number(length)) return;
    if (!text.startsWith('HTTP/1.1 200')) throw new Error(`answered with ${text.slice(0, 80)}`);
    socket.off('data', onData);
    socket.resume();
    answered += 1;
    if (answered === Number(count)) process.stdout.write('open\n');
    else openOne();
  };
  socket.write(REQUEST);
  socket.on('data', onData);
  socket.on('close', () => {
    throw new Error('a connection was closed');
  });
}

for (let each = 0; each < OPENING; each += 1) openOne();
