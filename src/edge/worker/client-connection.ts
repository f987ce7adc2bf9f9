import type { Socket } from 'node:net';
import { type Answer, answerText } from '../http/answer.ts';
import { MessageWriter } from '../http/message-writer.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import { isRefusal, type RequestHead } from '../http/request-head.ts';
import { RequestReader } from '../http/request-reader.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { type Access, accessWithoutRule } from './access-log.ts';
import { Attempts } from './attempts.ts';
import type { ClientSocket, ClientSocketUser } from './client-socket.ts';
import type { Deadlined } from './deadlines.ts';
import type { Demand } from './demand.ts';
import type { EdgeContext } from './edge-context.ts';
import type { ExchangeClient } from './exchange-client.ts';
import { ForwardedFields } from './forwarded.ts';
import { switchText } from './message-text.ts';
import { ownAnswers } from './own-answers.ts';
import { RequestBody } from './request-body.ts';
import { enter } from './request-entry.ts';
import { ResponseRelay } from './response-relay.ts';
import type { TargetState } from './target-state.ts';
import { Tunnel } from './tunnel.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** What the request that a connection is on has become. */
export interface Ongoing {
  /** More bytes came from the client, or there will be none. */
  onClientBytes(): void;
  onClientDrain(): void;
  onClientGone(): void;
  onDeadline(nowMs: number): void;
  /** The worker gives up on what is still inside it. */
  abandon(): void;
}

/** After so long without a request, a connection lets go of what only requests need. */
const REST_MS = 1_000;

/**
 * A client's connection: one request after the other, in the order they come. What arrives ahead of
 * its turn is held, up to a bound, and then not read.
 */
export class ClientConnection implements ClientSocketUser, Deadlined, ExchangeClient {
  readonly socket: Socket;
  readonly writer: MessageWriter;
  readonly requests: RequestReader;
  deadlineMs: number;
  /** The client has sent its last byte; it may still want its answers. */
  halfClosed = false;
  /** Where the request it is on is counted as one that wants its environment; null: it is not. */
  demand: Demand | null = null;
  private readonly edge: EdgeContext;
  private exchange: Ongoing | null = null;
  private tunnel: Tunnel | null = null;
  /** These are made for the first request, and anew for one after a rest. */
  private fields: ForwardedFields | null = null;
  private body: RequestBody | null = null;
  private tries: Attempts | null = null;
  private relay: ResponseRelay | null = null;
  private reading = false;
  private paused = false;
  /** The last answer is on its way; what still comes is thrown away. */
  private lingering = false;
  private closed = false;

  constructor(edge: EdgeContext, socket: ClientSocket) {
    this.edge = edge;
    this.socket = socket;
    this.writer = new MessageWriter(socket);
    this.requests = new RequestReader(edge.limits);
    this.deadlineMs = edge.clock.monotonic() + edge.limits.idleMs;
    edge.clients.add(this);
    edge.deadlines.add(this);
    socket.user = this;
    socket.on('drain', onDrain);
    socket.on('end', onEnd);
    socket.on('error', ignoreError);
    socket.on('close', onClose);
  }

  get poolId(): null {
    return null;
  }

  get needsApp(): boolean {
    return true;
  }

  get forwarded(): ForwardedFields {
    this.fields ??= new ForwardedFields(this.socket);
    return this.fields;
  }

  get requestBody(): RequestBody {
    this.body ??= new RequestBody(this.edge.limits);
    return this.body;
  }

  get attempts(): Attempts {
    this.tries ??= new Attempts(this.requestBody, this.edge.limits);
    return this.tries;
  }

  get response(): ResponseRelay {
    this.relay ??= new ResponseRelay(this);
    return this.relay;
  }

  /** Another request may follow this one, whose body is read. */
  mayStay(head: RequestHead): boolean {
    return head.keepAlive && !this.edge.retiring && !this.saysNoMore();
  }

  mayKeep(head: RequestHead): boolean {
    return this.requestBody.sent && this.mayStay(head);
  }

  /** The request it is on is this from now on, until its exchange has ended. */
  goOnAs(ongoing: Ongoing): void {
    this.exchange = ongoing;
  }

  /** The client sends nothing after the request it is on. */
  private saysNoMore(): boolean {
    return this.halfClosed && this.requests.held === null;
  }

  /** Some of what was held is used: there may be room for more. */
  requestsUsed(): void {
    if (this.paused) this.updateReading();
  }

  /** The exchange is over, its response written. */
  exchangeEnded(keep: boolean, nowMs = this.edge.clock.monotonic()): void {
    this.exchange = null;
    if (!keep) {
      this.endAndLinger();
      return;
    }
    this.becomeIdle(nowMs);
    if (this.requests.held !== null || this.halfClosed) this.readRequests();
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
      fields: refusal.status === 405 ? ownAnswers.itself.fields : '',
      close: true,
    });
    this.endAndLinger();
  }

  isCounted(): boolean {
    return true;
  }

  openTunnel(
    head: ResponseHead,
    upgrade: string,
    upstream: UpstreamConnection,
    target: TargetState,
    access: Access | null,
  ): Tunnel {
    this.writer.raw(switchText(head, upgrade, this.response.moreFields));
    this.writer.flush();
    return new Tunnel(this.edge, this, upstream, target, upgrade, access);
  }

  becomeTunnel(tunnel: Tunnel): void {
    this.exchange = null;
    this.tunnel = tunnel;
    this.letGo();
    const early = this.requests.take();
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
    this.requests.take();
    const { clock, limits } = this.edge;
    this.deadlineMs = clock.monotonic() + limits.bodyProgressMs;
    this.socket.end(() => {
      this.deadlineMs = clock.monotonic() + limits.lingerMs;
    });
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Closes so that the client does not take what it has for all. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Ends whatever goes on, at the end of the worker's patience. @param early before its time */
  abandon(early: boolean): void {
    if (this.tunnel !== null) this.tunnel.abandon(early);
    else if (this.exchange !== null) this.exchange.abandon();
    else this.destroy();
  }

  onDeadline(nowMs: number): void {
    const { limits } = this.edge;
    if (this.tunnel !== null) this.tunnel.onDeadline();
    else if (this.exchange !== null) this.exchange.onDeadline(nowMs);
    else if (this.socket.writableLength > 0) this.onSlowReader(nowMs);
    else if (this.lingering) this.destroy();
    else if (this.requests.headBegun) this.refuseNew(refusals.headTooSlow);
    else if (this.fields !== null && limits.idleMs > REST_MS) this.rest();
    else this.endAndLinger();
    if (this.deadlineMs <= nowMs) this.deadlineMs = nowMs + limits.lingerMs;
  }

  /** Waits for the next request, the first part of the time with all that the last one needed. */
  private becomeIdle(nowMs: number): void {
    const { limits } = this.edge;
    const waitMs = this.fields === null ? limits.idleMs : Math.min(REST_MS, limits.idleMs);
    this.deadlineMs = nowMs + waitMs;
    // At once: what dies young costs nothing, what lives for a second is collected at leisure.
    this.relay?.clear();
    this.body?.clear();
  }

  private rest(): void {
    this.letGo();
    this.deadlineMs += this.edge.limits.idleMs - REST_MS;
  }

  private letGo(): void {
    this.fields = null;
    this.body = null;
    this.tries = null;
    this.relay = null;
  }

  /** The client has still not taken its last answer. */
  private onSlowReader(nowMs: number): void {
    if (this.writer.progressed()) this.deadlineMs = nowMs + this.edge.limits.bodyProgressMs;
    else this.destroy();
  }

  onData(bytes: Buffer): void {
    if (this.tunnel !== null) {
      this.tunnel.onClientData(bytes);
      return;
    }
    if (this.lingering) return;
    this.requests.add(bytes);
    if (this.exchange !== null) this.exchange.onClientBytes();
    else this.readRequests();
    if (this.requests.held !== null) {
      this.requests.own();
      this.updateReading();
    }
  }

  onDrain(): void {
    this.writer.blocked = false;
    if (this.tunnel !== null) this.tunnel.onClientDrain();
    else if (this.exchange !== null) this.exchange.onClientDrain();
    else if (!this.lingering) {
      this.becomeIdle(this.edge.clock.monotonic());
      this.readRequests();
    }
  }

  onEnd(): void {
    this.halfClosed = true;
    if (this.tunnel !== null) this.tunnel.onClientEnd();
    else if (this.exchange !== null) this.exchange.onClientBytes();
    else if (!this.lingering && !this.writer.blocked) this.endAndLinger();
  }

  onClose(): void {
    this.closed = true;
    this.edge.clients.delete(this);
    this.edge.deadlines.remove(this);
    this.tunnel?.onClientGone();
    this.exchange?.onClientGone();
    this.requests.take();
    this.edge.onClientGone(this);
  }

  /** Takes requests from what is held, until one has to wait for its answer. */
  private readRequests(): void {
    if (this.reading) return;
    this.reading = true;
    while (this.requests.held !== null && this.isFree() && this.readRequest());
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
  private readRequest(): boolean {
    const waited = this.requests.headBegun;
    const head = this.requests.next();
    if (head === null) {
      const isFirstPart = !waited && this.requests.headBegun;
      if (isFirstPart) this.deadlineMs = this.edge.clock.monotonic() + this.edge.limits.headMs;
    } else if (isRefusal(head)) {
      this.refuseNew(head);
    } else {
      this.requestsUsed();
      this.takeUp(head);
    }
    return head !== null;
  }

  /** What it wanted is over. */
  leaveDemand(nowMs: number): void {
    this.demand?.leave(nowMs);
    this.demand = null;
  }

  /** Counts and refuses a request that never began. */
  private refuseNew(refusal: Refusal): void {
    const { accessLog, account } = this.edge;
    account.accept();
    account.end(account.poolless, 'refused', refusal.status);
    const { status } = refusal;
    accessLog?.write(accessWithoutRule(null, this.forwarded.clientOf(null), 'refused', status));
    this.refuse(refusal);
  }

  private takeUp(head: RequestHead): void {
    const refusal = this.forwarded.receive(head, this.edge.trustedProxies);
    if (refusal !== null) this.refuseNew(refusal);
    else enter(this.edge, this, head);
  }

  private updateReading(): void {
    const tooMuch = (this.requests.held?.length ?? 0) >= this.edge.limits.readAheadBytes;
    if (tooMuch === this.paused || this.closed) return;
    this.paused = tooMuch;
    if (tooMuch) this.socket.pause();
    else this.socket.resume();
  }
}

function ignoreError(): void {
  // The close that follows says all there is to do.
}

// One of each for all sockets, because ten thousand idle ones would each keep theirs.

function onDrain(this: ClientSocket): void {
  this.user?.onDrain();
}

function onEnd(this: ClientSocket): void {
  this.user?.onEnd();
}

function onClose(this: ClientSocket): void {
  this.user?.onClose();
}
