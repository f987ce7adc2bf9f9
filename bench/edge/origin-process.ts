import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/** The origin where there is no nginx: the files of a folder, and the length of what is posted. */
const [, , port = '', folder = ''] = process.argv;
const bodies = new Map<string, Buffer>();

createServer((request, response) => {
  let receivedBytes = 0;
  request.on('data', (bytes: Buffer) => {
    receivedBytes += bytes.length;
  });
  request.on('end', () => {
    response.end(request.method === 'POST' ? `${receivedBytes}` : bodyOf(request.url ?? ''));
  });
}).listen(Number(port), '127.0.0.1', 4_096);

function bodyOf(path: string): Buffer {
  const known = bodies.get(path);
  if (known !== undefined) return known;
  const body = readFileSync(join(folder, path.replaceAll('.', '')));
  bodies.set(path, body);
  return body;
}
