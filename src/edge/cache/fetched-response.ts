import { UNTIL_CLOSE } from '../http/body-framing.ts';
import { BodyReader, type BodySink } from '../http/body-reader.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { ExchangeResponse } from '../worker/exchange-client.ts';
import type { Relayed } from '../worker/response-relay.ts';
import type { UpstreamConnection } from '../worker/upstream-connection.ts';

/** Who takes the answer to a fetch. */
export interface FetchedResponseUser {
  /** 103 Early Hints and its like. */
  onInterim(head: ResponseHead): void;
  /** @returns what takes the body */
  onHead(head: ResponseHead): BodySink;
  /** More of the body has come. @returns whether the app has to wait */
  onMore(): boolean;
  /** All of it has come. @param trailers lines, each with its CRLF */
  onWhole(trailers: string): void;
}

/** What an app answers to a request of the cache's own. */
export class FetchedResponse implements ExchangeResponse {
  head: ResponseHead | null = null;
  heard = false;
  moreFields = '';
  readonly keepsClient = true;
  readonly endsWithConnection = false;
  private readonly body = new BodyReader();
  private readonly user: FetchedResponseUser;
  private sink: BodySink | null = null;
  private request: RequestHead | null = null;

  constructor(user: FetchedResponseUser) {
    this.user = user;
  }

  start(request: RequestHead): void {
    this.request = request;
  }

  /** Readers may have begun with it: another cannot take its place. */
  get started(): boolean {
    return this.head !== null;
  }

  get toldStatus(): number {
    return this.head?.status ?? 0;
  }

  get bodyBytes(): number {
    return this.head === null ? 0 : this.body.receivedBytes;
  }

  get untilClose(): boolean {
    return this.head?.body === UNTIL_CLOSE;
  }

  ownFields(): string {
    return '';
  }

  read(bytes: Buffer, upstream: UpstreamConnection, headBytes: number): Relayed {
    this.heard = true;
    if (this.sink !== null) return this.readBody(bytes, 0, this.sink, upstream);
    const { heads } = upstream;
    heads.add(bytes);
    for (;;) {
      const head = heads.next(this.request?.method ?? 'GET', headBytes);
      if (head === 'partial') return 'partly';
      // Nobody has asked to switch.
      if (head === 'malformed' || head.status === 101) return 'unframeable';
      if (head.status < 200) {
        this.user.onInterim(head);
        continue;
      }
      this.head = head;
      this.body.start(head.body);
      this.sink = this.user.onHead(head);
      return this.readBody(heads.bytes, heads.position, this.sink, upstream);
    }
  }

  end(): void {
    this.user.onWhole(this.body.trailers);
  }

  private readBody(
    bytes: Buffer,
    start: number,
    sink: BodySink,
    upstream: UpstreamConnection,
  ): Relayed {
    const { body } = this;
    const stopped = body.read(bytes, start, sink);
    if (body.malformed) return 'unframeable';
    if (body.done) return stopped === bytes.length ? 'whole' : 'ahead';
    if (this.user.onMore()) upstream.socket.pause();
    return 'partly';
  }
}

/** For a body that is not read. */
export const NOWHERE: BodySink = {
  data() {
    // It is of no use to anybody.
  },
};
