import { type IncomingHttpHeaders, request } from 'node:http';
import type { Contender } from './contender.ts';
import { HOST } from './load.ts';
import { BODY_BYTES } from './origin.ts';

const POST_BYTES = 64 * 1024;

/** Whoever answers wrongly is not measured: throws unless all that is asked for comes whole. */
export async function checkAnswers(contender: Contender): Promise<void> {
  for (const [name, sizeBytes] of Object.entries(BODY_BYTES)) {
    const got = await ask(contender, 'GET', `/${name}`, 0);
    expectThat(contender, `GET /${name}`, got.status === 200 && got.sizeBytes === sizeBytes, got);
  }
  const got = await ask(contender, 'POST', '/receive', POST_BYTES);
  const isWhole = got.status === 200 && got.start === `${POST_BYTES}`;
  expectThat(contender, 'POST /receive', isWhole, got);
}

export interface Got {
  status: number | undefined;
  fields: IncomingHttpHeaders;
  sizeBytes: number;
  /** What the body begins with. */
  start: string;
}

export function ask(
  { port }: Contender,
  method: string,
  path: string,
  sendBytes: number,
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request({
      ...{ host: '127.0.0.1', port, method, path, agent: false },
      headers: { host: HOST, 'content-length': sendBytes },
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      let sizeBytes = 0;
      let start = '';
      response.on('data', (bytes: Buffer) => {
        if (sizeBytes === 0) start = bytes.toString('latin1', 0, 80);
        sizeBytes += bytes.length;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { headers: fields, statusCode: status } = response;
        resolve({ status, fields, sizeBytes, start });
      });
    });
    asked.end(Buffer.alloc(sendBytes, 'x'));
  });
}

export function expectThat({ name }: Contender, what: string, isRight: boolean, got: Got): void {
  if (isRight) return;
  throw new Error(
    `${name} answers ${what} with ${got.status}, ${got.sizeBytes} bytes: ${got.start}`,
  );
}
