import type { Socket } from 'node:net';
import { CHUNKED } from '../http/body-framing.ts';
import { MessageWriter } from '../http/message-writer.ts';
import type { Refusal } from '../http/refusal.ts';
import { isRefusal, type RequestHead } from '../http/request-head.ts';
import { RequestReader } from '../http/request-reader.ts';
import type { Limits } from '../limits.ts';
import { requestText } from './message-text.ts';
import { RequestBody } from './request-body.ts';

/** What the edge makes of a client's bytes, without its sockets: millions of them in a minute. */

export interface OnwardRequest {
  head: RequestHead;
  /** What would go up, byte for byte; empty for what the edge answers itself. */
  sent: string;
  /** To its end: the app takes it for a request. */
  whole: boolean;
}

export interface Onward {
  requests: OnwardRequest[];
  /** What ended it; null when the client's bytes, or its requests, came to an end. */
  refusal: Refusal | null;
}

const TARGET = { host: '127.0.0.1', port: 1 };

/** Reads one connection's bytes, in the pieces they come in, as the edge does. */
export function onward(pieces: readonly Buffer[], limits: Limits, mostBodyBytes: number): Onward {
  const reading = new Reading(limits, mostBodyBytes);
  for (const piece of pieces) reading.add(piece);
  return reading;
}

/** In place of an app's socket. */
class Taken {
  text = '';
  readonly writableLength = 0;

  write(data: string | Buffer): boolean {
    this.text += typeof data === 'string' ? data : data.toString('latin1');
    return true;
  }
}

class Reading implements Onward {
  readonly requests: OnwardRequest[] = [];
  refusal: Refusal | null = null;
  /** Nothing more is read. */
  private ended = false;
  private readonly source: RequestReader;
  private readonly body: RequestBody;
  private readonly mostBodyBytes: number;
  private readonly taken = new Taken();
  private readonly writer = new MessageWriter(this.taken as unknown as Socket);

  constructor(limits: Limits, mostBodyBytes: number) {
    this.source = new RequestReader(limits);
    this.body = new RequestBody(limits);
    this.mostBodyBytes = mostBodyBytes;
  }

  add(bytes: Buffer): void {
    if (this.ended) return;
    this.source.add(bytes);
    const last = this.requests.at(-1);
    if (last !== undefined && !last.whole) this.pump(last);
    while (!this.ended && this.isWhole() && this.next());
  }

  private isWhole(): boolean {
    return this.requests.at(-1)?.whole ?? true;
  }

  /** False when the head is not all there. */
  private next(): boolean {
    const head = this.source.next();
    if (head === null) return false;
    if (isRefusal(head)) {
      this.refusal = head;
      this.ended = true;
    } else if (head.target === '*') {
      this.requests.push({ head, sent: '', whole: head.body === 0 });
      this.ended = !head.keepAlive || head.body !== 0;
    } else {
      this.begin(head);
    }
    return true;
  }

  private begin(head: RequestHead): void {
    const { body, source, taken, writer } = this;
    taken.text = '';
    body.start(head.body, source, this.mostBodyBytes);
    writer.begin(requestText(head, TARGET, '', 'id'), head.body === CHUNKED);
    if (body.replay) writer.raw(body.replay);
    writer.flush();
    const request = { head, sent: taken.text, whole: body.sent };
    this.requests.push(request);
    if (!body.sent) this.pump(request);
    else this.ended = !head.keepAlive;
  }

  private pump(request: OnwardRequest): void {
    this.refusal = this.body.pump(this.source, this.writer);
    request.sent = this.taken.text;
    request.whole = this.body.sent;
    this.ended = this.refusal !== null || (request.whole && !request.head.keepAlive);
  }
}
