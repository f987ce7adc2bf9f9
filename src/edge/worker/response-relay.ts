import { CHUNKED, UNTIL_CLOSE } from '../http/body-framing.ts';
import { BodyReader } from '../http/body-reader.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ExchangeResponse } from './exchange-client.ts';
import { interimText, responseText } from './message-text.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** How far a response has come with the last bytes; `ahead`: whole, with bytes behind it. */
export type Relayed = 'partly' | 'whole' | 'ahead' | 'switching' | 'unframeable';

/** Is told what an app answers to a request that passes by the cache. */
export interface ResponseWitness {
  /** @returns lines for the response, each with its CRLF */
  onHead(head: ResponseHead): string;
  /** The edge itself answers in the app's place. */
  onOwnAnswer(status: number): string;
  /** All of the app's answer has come. */
  onEnd(bodyBytes: number): void;
}

/** What an app answers, on its way to the client. One per connection, used in turn. */
export class ResponseRelay implements ExchangeResponse {
  /** Of the final response, or the switch of protocols, once it has come. */
  head: ResponseHead | null = null;
  /** Some of the app's answer has come, interim ones included. */
  heard = false;
  /** The client's connection may be used again behind this response. */
  keepsClient = false;
  /** Lines of the edge's own for the response, each with its CRLF. */
  moreFields = '';
  /** Null where there is no cache. */
  private witness: ResponseWitness | null = null;
  private request: RequestHead | null = null;
  private readonly body = new BodyReader();
  private readonly client: ClientConnection;

  constructor(client: ClientConnection) {
    this.client = client;
  }

  start(request: RequestHead, witness: ResponseWitness | null): void {
    this.request = request;
    this.head = null;
    this.heard = false;
    this.moreFields = '';
    this.witness = witness;
  }

  /** Lets go of what it has read. */
  clear(): void {
    this.request = null;
    this.head = null;
    this.moreFields = '';
    this.witness = null;
  }

  /** Some of the response is on its way: another cannot take its place. */
  get started(): boolean {
    return this.head !== null && this.client.writer.started;
  }

  /** What the client has been told by now; 0 for nothing. */
  get toldStatus(): number {
    return this.started ? (this.head?.status ?? 0) : 0;
  }

  get bodyBytes(): number {
    return this.head === null ? 0 : this.body.receivedBytes;
  }

  /** The response ends with the app's connection. */
  get untilClose(): boolean {
    return this.head?.body === UNTIL_CLOSE;
  }

  /** To the client, its end looks like that of its connection. */
  get endsWithConnection(): boolean {
    return this.request?.minorVersion === 0 && (this.head?.body ?? 0) < 0;
  }

  read(bytes: Buffer, upstream: UpstreamConnection, headBytes: number): Relayed {
    this.heard = true;
    return this.head === null
      ? this.readHeads(bytes, upstream, headBytes)
      : this.readBody(bytes, 0, upstream);
  }

  ownFields(status: number): string {
    return this.witness === null ? '' : this.witness.onOwnAnswer(status);
  }

  /** Writes what ends the response, all of which has come. */
  end(): void {
    const { writer } = this.client;
    if (this.witness !== null) this.witness.onEnd(this.bodyBytes);
    writer.end(this.body.trailers);
    writer.flush();
  }

  private readHeads(bytes: Buffer, upstream: UpstreamConnection, headBytes: number): Relayed {
    const { request } = this;
    const { heads } = upstream;
    if (request === null) return 'unframeable';
    heads.add(bytes);
    for (;;) {
      const head = heads.next(request.method, headBytes);
      if (head === 'partial') return 'partly';
      if (head === 'malformed') return 'unframeable';
      if (head.status === 101) {
        if (request.upgrade === '') return 'unframeable';
        this.head = head;
        return 'switching';
      }
      if (head.status >= 200) {
        this.begin(head, request);
        return this.readBody(heads.bytes, heads.position, upstream);
      }
      this.passInterim(head, request, upstream);
    }
  }

  /** 100 Continue and its like; HTTP/1.0 clients would not understand. */
  private passInterim(
    head: ResponseHead,
    request: RequestHead,
    upstream: UpstreamConnection,
  ): void {
    if (request.minorVersion === 0) return;
    const { writer } = this.client;
    writer.raw(interimText(head));
    writer.flush();
    if (writer.blocked) upstream.socket.pause();
  }

  private begin(head: ResponseHead, request: RequestHead): void {
    const { client } = this;
    const { minorVersion } = request;
    const noLength = head.body === CHUNKED || head.body === UNTIL_CLOSE;
    const chunked = noLength && minorVersion !== 0;
    this.head = head;
    this.keepsClient = client.mayKeep(request) && noLength === chunked;
    const keep = this.keepsClient;
    if (this.witness !== null) this.moreFields += this.witness.onHead(head);
    const text = responseText(head, { chunked, keep, minorVersion }, this.moreFields);
    client.writer.begin(text, chunked);
    this.body.start(head.body);
  }

  private readBody(bytes: Buffer, start: number, upstream: UpstreamConnection): Relayed {
    const { body } = this;
    const { writer } = this.client;
    const stopped = body.read(bytes, start, writer);
    if (body.malformed) return 'unframeable';
    if (body.done) return stopped === bytes.length ? 'whole' : 'ahead';
    writer.flush();
    if (writer.blocked) upstream.socket.pause();
    return 'partly';
  }
}
