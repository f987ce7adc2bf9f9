// A WebSocket that says back what it hears (RFC 6455), without a library: whole text and binary
// frames of up to 64 KB, ping, and close.
import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const MAX_PAYLOAD_BYTES = 0xffff;
const GOING_AWAY = 1001;
const TOO_BIG = 1009;

/** @param fields more fields of the answer, each with its line end */
export function acceptWebSocket(request, socket, head, fields = '') {
  const key = request.headers['sec-websocket-key'];
  if (!key)
    return socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${fields}\r\n`,
  );
  const close = (code) => socket.end(encodeFrame(CLOSE, Buffer.from([code >> 8, code & 0xff])));
  socket.closeWebSocket = () => close(GOING_AWAY);
  socket.setTimeout(0);
  socket.on('error', () => socket.destroy());

  let held = head;
  const read = () => {
    for (let frame = decodeFrame(held); frame; frame = decodeFrame(held)) {
      if (frame.tooBig) return close(TOO_BIG);
      held = held.subarray(frame.bytes);
      if (frame.opcode === TEXT || frame.opcode === BINARY)
        socket.write(encodeFrame(frame.opcode, frame.payload));
      else if (frame.opcode === PING) socket.write(encodeFrame(PONG, frame.payload));
      else if (frame.opcode === CLOSE) return socket.end(encodeFrame(CLOSE, frame.payload));
    }
  };
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk]);
    read();
  });
  return read();
}

/** The first whole frame, or null while more has to come. */
function decodeFrame(buffer) {
  if (buffer.length < 2) return null;
  const opcode = buffer[0] & 0x0f;
  const masked = (buffer[1] & 0x80) !== 0;
  let length = buffer[1] & 0x7f;
  let offset = 2;
  if (length === 127) return { tooBig: true };
  if (length === 126) {
    if (buffer.length < 4) return null;
    length = buffer.readUInt16BE(2);
    offset = 4;
  }
  const mask = masked ? buffer.subarray(offset, offset + 4) : null;
  if (masked) offset += 4;
  if (buffer.length < offset + length) return null;
  const payload = Buffer.from(buffer.subarray(offset, offset + length));
  if (mask) for (let i = 0; i < length; i += 1) payload[i] ^= mask[i % 4];
  return { opcode, payload, bytes: offset + length };
}

function encodeFrame(opcode, payload) {
  const bytes = payload.subarray(0, MAX_PAYLOAD_BYTES);
  const head =
    bytes.length < 126
      ? Buffer.from([0x80 | opcode, bytes.length])
      : Buffer.from([0x80 | opcode, 126, bytes.length >> 8, bytes.length & 0xff]);
  return Buffer.concat([head, bytes]);
}
