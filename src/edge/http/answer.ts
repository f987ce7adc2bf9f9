import { STATUS_CODES } from 'node:http';

export interface Answer {
  status: number;
  /** For the person at the other end: one or more sentences. */
  text: string;
  /** More header lines, each with its CRLF. */
  fields?: string;
  /** Without a body, as for HEAD. */
  headOnly?: boolean;
  close: boolean;
}

/** A response of the edge's own, as plain text. */
export function answerText(answer: Answer): string {
  const body = `${answer.text}\n`;
  return (
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Unknown'}\r\n` +
    'Content-Type: text/plain; charset=utf-8\r\n' +
    'Cache-Control: no-store\r\n' +
    `Content-Length: ${Buffer.byteLength(body)}\r\n` +
    (answer.fields ?? '') +
    `Connection: ${answer.close ? 'close' : 'keep-alive'}\r\n\r\n` +
    (answer.headOnly ? '' : body)
  );
}
