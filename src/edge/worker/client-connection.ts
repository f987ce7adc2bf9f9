import type { Socket } from 'node:net';
import { type Answer, answerText } from '../http/answer.ts';
import { BodyReader } from '../http/body-reader.ts';
import { latin1 } from '../http/latin1.ts';
import { MessageWriter } from '../http/message-writer.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import {
  earlyRefusal,
  isRefusal,
  parseRequestHead,
  type RequestHead,
  startsWithEmptyLine,
} from '../http/request-head.ts';
import type { Deadlined } from './deadlines.ts';
import type { EdgeContext } from './edge-context.ts';
import { Exchange } from './exchange.ts';
import { ForwardedFields } from './forwarded.ts';
import type { Tunnel } from './tunnel.ts';

const HEAD_END = '\r\n\r\n';
const EMPTY_LINE_BYTES = 2;
const ALLOWED = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n';

/**
 * A client's connection: one request after the other, in the order they come. What arrives ahead of
 * its turn is held, up to a bound, and then not read.
 */
export class ClientConnection implements Deadlined {
  readonly socket: Socket;
  readonly writer: MessageWriter;
  readonly forwarded: ForwardedFields;
  readonly requestBody = new BodyReader();
  readonly responseBody = new BodyReader();
  deadlineMs: number;
  /** Bytes read and not yet used; null for none. */
  held: Buffer | null = null;
  /** The client has sent its last byte; it may still want its answers. */
  halfClosed = false;
  private readonly edge: EdgeContext;
  private exchange: Exchange | null = null;
  private tunnel: Tunnel | null = null;
  /** Of a head that is not all here: so much was looked at already. Its deadline runs from 1 on. */
  private headSeenBytes = 0;
  private emptyLineSkipped = false;
  private reading = false;
  private paused = false;
  /** The last answer is on its way; what still comes is thrown away. */
  private lingering = false;
  private closed = false;

  constructor(edge: EdgeContext, socket: Socket) {
    this.edge = edge;
    this.socket = socket;
    this.writer = new MessageWriter(socket);
    this.forwarded = new ForwardedFields(socket);
    this.deadlineMs = edge.clock.monotonic() + edge.limits.idleMs;
    edge.clients.add(this);
    edge.deadlines.add(this);
    socket.on('data', (bytes: Buffer) => this.onData(bytes));
    socket.on('drain', () => this.onDrain());
    socket.on('end', () => this.onEnd());
    socket.on('error', () => {
      // The close that follows says all there is to do.
    });
    socket.on('close', () => this.onClose());
  }

  /** No request is inside and none has begun. */
  get idle(): boolean {
    return this.exchange === null && this.tunnel === null && this.held === null;
  }

  /** The client sends nothing after the request it is on. */
  saysNoMore(): boolean {
    return this.halfClosed && this.held === null;
  }

  /** Marks the first bytes of what is held as used. */
  consume(sizeBytes: number): void {
    if (this.held === null) return;
    this.held = sizeBytes >= this.held.length ? null : this.held.subarray(sizeBytes);
    if (this.paused) this.updateReading();
  }

  /** The exchange is over, its response written. */
  exchangeEnded(keep: boolean): void {
    this.exchange = null;
    if (!keep) {
      this.endAndLinger();
      return;
    }
    this.deadlineMs = this.edge.clock.monotonic() + this.edge.limits.idleMs;
    if (this.held !== null || this.halfClosed) this.readRequests();
  }

  /** Writes a response of the edge's own in place of whatever was begun. */
  answer(answer: Answer): void {
    this.writer.discard();
    this.writer.raw(answerText(answer));
    this.writer.flush();
  }

  /** Answers a request of bad form, which has been counted, and closes. */
  refuse(refusal: Refusal): void {
    this.exchange = null;
    this.answer({
      status: refusal.status,
      text: `This request was refused: ${refusal.detail}.`,
      fields: refusal.status === 405 ? ALLOWED : '',
      close: true,
    });
    this.endAndLinger();
  }

  becomeTunnel(tunnel: Tunnel): void {
    this.exchange = null;
    this.tunnel = tunnel;
    const early = this.held;
    this.held = null;
    this.updateReading();
    if (early !== null) tunnel.onClientData(early);
    if (this.halfClosed) tunnel.onClientEnd();
  }

  /** Sends what is written, closes our side, and reads on a while so that nothing is reset. */
  endAndLinger(): void {
    if (this.lingering || this.closed) return;
    this.lingering = true;
    this.exchange = null;
    this.tunnel = null;
    this.held = null;
    this.deadlineMs = this.edge.clock.monotonic() + this.edge.limits.lingerMs;
    this.socket.end();
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends whatever goes on, at the end of the worker's patience. */
  abandon(): void {
    if (this.tunnel !== null) this.tunnel.abandon();
    else if (this.exchange !== null) this.exchange.abandon();
    else this.destroy();
  }

  onDeadline(nowMs: number): void {
    if (this.lingering) this.destroy();
    else if (this.tunnel !== null) this.tunnel.onDeadline();
    else if (this.exchange !== null) this.exchange.onDeadline();
    else if (this.writer.blocked) this.destroy();
    else if (this.headSeenBytes > 0) this.refuseNew(refusals.headTooSlow);
    else this.endAndLinger();
    if (this.deadlineMs <= nowMs) this.deadlineMs = nowMs + this.edge.limits.lingerMs;
  }

  private onData(bytes: Buffer): void {
    if (this.tunnel !== null) {
      this.tunnel.onClientData(bytes);
      return;
    }
    if (this.lingering) return;
    this.held = this.held === null ? bytes : Buffer.concat([this.held, bytes]);
    if (this.exchange !== null) this.exchange.onClientBytes();
    else this.readRequests();
    if (this.held !== null) this.updateReading();
  }

  private onDrain(): void {
    this.writer.blocked = false;
    if (this.tunnel !== null) this.tunnel.onClientDrain();
    else if (this.exchange !== null) this.exchange.onClientDrain();
    else if (!this.lingering) {
      this.deadlineMs = this.edge.clock.monotonic() + this.edge.limits.idleMs;
      this.readRequests();
    }
  }

  private onEnd(): void {
    this.halfClosed = true;
    if (this.tunnel !== null) this.tunnel.onClientEnd();
    else if (this.exchange !== null) this.exchange.onClientBytes();
    else if (!this.lingering && !this.writer.blocked) this.endAndLinger();
  }

  private onClose(): void {
    this.closed = true;
    this.edge.clients.delete(this);
    this.edge.deadlines.remove(this);
    this.tunnel?.onClientGone();
    this.exchange?.onClientGone();
    this.held = null;
    this.edge.onClientGone();
  }

  /** Takes requests from what is held, until one has to wait for its answer. */
  private readRequests(): void {
    if (this.reading) return;
    this.reading = true;
    while (this.held !== null && this.isFree() && this.readRequest(this.held));
    this.reading = false;
    if (this.isFree() && this.halfClosed) this.endAndLinger();
  }

  /** A next request may begin: not while the client does not take the answers it has. */
  private isFree(): boolean {
    return (
      this.exchange === null && this.tunnel === null && !this.lingering && !this.writer.blocked
    );
  }

  /** False when the head is not all here. */
  private readRequest(held: Buffer): boolean {
    if (!this.emptyLineSkipped && startsWithEmptyLine(held)) {
      this.emptyLineSkipped = true;
      this.consume(EMPTY_LINE_BYTES);
      return true;
    }
    const { headBytes } = this.edge.limits;
    const searchFrom = Math.max(0, this.headSeenBytes - HEAD_END.length);
    const end = held.indexOf(HEAD_END, searchFrom, 'latin1');
    if (end === -1 || end > headBytes) {
      this.holdHead(held, end !== -1 || held.length > headBytes);
      return false;
    }
    const head = parseRequestHead(latin1(held, 0, end + HEAD_END.length), this.edge.limits);
    this.headSeenBytes = 0;
    this.emptyLineSkipped = false;
    if (isRefusal(head)) {
      this.refuseNew(head);
    } else {
      this.consume(head.headBytes);
      this.begin(head);
    }
    return true;
  }

  private holdHead(held: Buffer, tooLarge: boolean): void {
    const seen = this.headSeenBytes;
    const end = Math.min(held.length, this.edge.limits.headBytes);
    const early = earlyRefusal(latin1(held, 0, end), seen, this.edge.limits);
    if (early !== null || tooLarge) {
      this.refuseNew(early ?? refusals.headTooLarge);
      return;
    }
    this.headSeenBytes = held.length;
    if (seen === 0) this.deadlineMs = this.edge.clock.monotonic() + this.edge.limits.headMs;
  }

  private begin(head: RequestHead): void {
    const { account, table } = this.edge;
    account.accept();
    if (head.target === '*') {
      this.answerFixed(head, 200, 'This is a Belay edge.', ALLOWED);
      return;
    }
    const route = table.find(head.hostName);
    if (route === null) {
      const asked = head.host === '' ? 'no host' : `"${head.host}"`;
      this.answerFixed(
        head,
        404,
        `Nothing here answers to ${asked}. \`belay status\` lists the names that are served.`,
      );
      return;
    }
    const exchange = new Exchange(this.edge, this, head, route);
    this.exchange = exchange;
    exchange.begin();
  }

  private answerFixed(head: RequestHead, status: number, text: string, fields = ''): void {
    const { account, retiring } = this.edge;
    const keep = head.keepAlive && head.body === 0 && !retiring && !this.saysNoMore();
    account.end(account.poolless, 'fixed');
    this.answer({ status, text, fields, headOnly: head.method === 'HEAD', close: !keep });
    this.exchangeEnded(keep);
  }

  /** Counts and refuses a request that never began. */
  private refuseNew(refusal: Refusal): void {
    const { account } = this.edge;
    account.accept();
    account.end(account.poolless, 'refused');
    this.refuse(refusal);
  }

  private updateReading(): void {
    const tooMuch = this.held !== null && this.held.length >= this.edge.limits.readAheadBytes;
    if (tooMuch === this.paused || this.closed) return;
    this.paused = tooMuch;
    if (tooMuch) this.socket.pause();
    else this.socket.resume();
  }
}
