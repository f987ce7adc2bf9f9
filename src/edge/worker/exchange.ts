import type { Outcome } from '../../model/ledger.ts';
import { latin1 } from '../http/latin1.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import { CHUNKED, type RequestHead, UNTIL_CLOSE } from '../http/request-head.ts';
import { parseResponseHead, type ResponseHead } from '../http/response-head.ts';
import type { ClientConnection } from './client-connection.ts';
import type { EdgeContext } from './edge-context.ts';
import { interimText, requestText, responseText, switchText } from './message-text.ts';
import type { Route } from './route.ts';
import type { TargetState } from './target-state.ts';
import { Tunnel } from './tunnel.ts';
import type { UpstreamConnection, UpstreamUser } from './upstream-connection.ts';
import type { Waiting } from './wait-queue.ts';

const HEAD_END = '\r\n\r\n';
const STATUS_PREFIX = 'HTTP/1.';
/** RFC 9110 section 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const RETRY_AFTER = 'Retry-After: 1\r\n';

/**
 * One request's way through the edge: to a target, or into the queue; out on a connection, perhaps
 * on a second one; the response back. It ends exactly once, with one outcome.
 */
export class Exchange implements UpstreamUser, Waiting {
  private readonly edge: EdgeContext;
  private readonly client: ClientConnection;
  private readonly head: RequestHead;
  private route: Route;
  private readonly idempotent: boolean;
  private readonly startedMs: number;
  private readonly id: string;
  /** The last target tried. */
  private target: TargetState | null = null;
  private upstream: UpstreamConnection | null = null;
  private attempts = 0;
  /** The whole body while it may be sent again; null when it is streamed. */
  private replay: string | null = null;
  private bodyBegun = false;
  private requestSent = false;
  /** The connection in use had served another request before. */
  private reused = false;
  /** A reused connection broke already: the next must be a new one. */
  private wantsNewConnection = false;
  private anyResponseByte = false;
  private partialHead: Buffer | null = null;
  private response: ResponseHead | null = null;
  private keepsClient = false;
  private ended = false;

  constructor(edge: EdgeContext, client: ClientConnection, head: RequestHead, route: Route) {
    this.edge = edge;
    this.client = client;
    this.head = head;
    this.route = route;
    this.idempotent = head.method === 'GET' || IDEMPOTENT.has(head.method);
    this.startedMs = edge.clock.monotonic();
    this.id = edge.requestId();
  }

  begin(): void {
    this.client.requestBody.start(this.head.body);
    this.takeWholeBody();
    this.attempt(this.startedMs);
  }

  tryAgain(): boolean {
    const nowMs = this.edge.clock.monotonic();
    this.findRoute();
    const target = this.route.pick(null, nowMs);
    if (target !== null) this.send(target, nowMs);
    return target !== null;
  }

  /** More bytes came from the client, or there will be none. */
  onClientBytes(): void {
    if (!this.requestSent) this.pumpRequestBody();
  }

  onClientDrain(): void {
    this.upstream?.socket.resume();
    this.setDeadline(this.edge.clock.monotonic());
  }

  onClientGone(): void {
    if (this.ended) return;
    this.letGo();
    this.end('client-aborted');
  }

  onUpstreamConnect(): void {
    this.setDeadline(this.edge.clock.monotonic());
    if (!this.requestSent) this.pumpRequestBody();
  }

  onUpstreamDrain(): void {
    const upstream = this.upstream;
    if (upstream) upstream.writer.blocked = false;
    if (!this.requestSent) this.pumpRequestBody();
  }

  onUpstreamData(bytes: Buffer): void {
    this.anyResponseByte = true;
    if (this.response !== null) {
      this.readResponseBody(bytes, 0);
      return;
    }
    const all = this.partialHead === null ? bytes : Buffer.concat([this.partialHead, bytes]);
    this.partialHead = null;
    const bodyStart = this.readResponseHead(all);
    if (bodyStart !== -1) this.readResponseBody(all, bodyStart);
  }

  onUpstreamEnd(): void {
    if (this.response?.body === UNTIL_CLOSE) this.finish(false);
    else this.upstreamFailed();
  }

  onUpstreamReset(): void {
    this.upstreamFailed();
  }

  onDeadline(): void {
    const upstream = this.upstream;
    if (upstream === null) {
      this.edge.queue.remove(this);
      this.answer(503, 'No instance became ready in time. Try again soon.', 'lost', RETRY_AFTER);
    } else if (!upstream.connected) {
      this.upstreamFailed();
    } else if (this.client.writer.blocked) {
      this.breakResponse('client-aborted');
    } else if (this.response !== null) {
      this.breakResponse('lost');
    } else if (!this.requestSent && !upstream.writer.blocked) {
      this.refuse(refusals.bodyTooSlow);
    } else {
      this.letGo();
      this.answer(504, 'The instance did not answer in time.', 'lost');
    }
  }

  /** The worker gives up on what is still inside it. */
  abandon(): void {
    if (this.ended) return;
    this.edge.queue.remove(this);
    this.breakResponse('lost');
  }

  // — the request —

  /** A small body that is all here goes out with the head, and can go out again. */
  private takeWholeBody(): void {
    const { body } = this.head;
    const held = this.client.held;
    if (body === 0) {
      this.replay = '';
      this.requestSent = true;
    } else if (body > 0 && body <= this.edge.limits.replayBytes && held && held.length >= body) {
      this.replay = latin1(held, 0, body);
      this.requestSent = true;
      this.client.consume(body);
    }
  }

  /** The rules may have changed since it came. Those it came under do where none are left. */
  private findRoute(): void {
    this.route = this.edge.table.find(this.head.hostName) ?? this.route;
  }

  private attempt(nowMs: number): void {
    const target = this.route.pick(this.target, nowMs);
    if (target !== null) {
      this.send(target, nowMs);
    } else if (this.edge.queue.add(this) === 'waiting') {
      this.client.deadlineMs = nowMs + this.edge.limits.queueMs;
    } else {
      this.answer(503, 'Too many requests are waiting for an instance.', 'shed', RETRY_AFTER);
    }
  }

  private send(target: TargetState, nowMs: number): void {
    this.attempts += 1;
    if (this.attempts > 1) target.row.countRetry();
    else target.budget.request();
    const idle = this.wantsNewConnection ? null : target.takeIdle(this.idempotent, nowMs);
    const upstream = idle ?? target.connect();
    this.reused = idle !== null;
    this.target = target;
    this.upstream = upstream;
    target.inFlight += 1;
    upstream.user = this;
    const forwarded = this.client.forwarded.forHost(this.head.host);
    const text = requestText(this.head, target, forwarded, this.id);
    upstream.writer.begin(text, this.head.body === CHUNKED);
    if (this.replay !== null && this.replay !== '') upstream.writer.raw(this.replay);
    upstream.writer.flush();
    this.setDeadline(nowMs);
    if (!this.requestSent && this.reused) this.pumpRequestBody();
  }

  private pumpRequestBody(): void {
    const { client, upstream } = this;
    if (upstream === null || !upstream.connected || upstream.writer.blocked) return;
    const reader = client.requestBody;
    if (client.held !== null) {
      this.bodyBegun = true;
      const stopped = reader.read(client.held, 0, upstream.writer);
      if (reader.malformed) {
        this.refuse(refusals.badChunk);
        return;
      }
      if (reader.receivedBytes > this.edge.limits.requestBodyBytes) {
        this.refuse(refusals.bodyTooLarge);
        return;
      }
      client.consume(stopped);
    }
    if (reader.done) {
      upstream.writer.end(reader.trailers);
      this.requestSent = true;
    } else if (client.halfClosed) {
      client.destroy();
      return;
    }
    upstream.writer.flush();
    this.setDeadline(this.edge.clock.monotonic());
  }

  // — the response —

  /** Where the body begins; −1 when the head is not all here, or the exchange went another way. */
  private readResponseHead(bytes: Buffer): number {
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(HEAD_END, start, 'latin1');
      if (end === -1) {
        this.holdResponseHead(bytes.subarray(start));
        return -1;
      }
      const head = parseResponseHead(latin1(bytes, start, end + HEAD_END.length), this.head.method);
      start = end + HEAD_END.length;
      if (head === null || (head.status === 101 && this.head.upgrade === '')) {
        this.unframeable();
        return -1;
      }
      if (head.status === 101) {
        this.switchProtocols(head, bytes.subarray(start));
        return -1;
      }
      if (head.status >= 200) {
        this.beginResponse(head);
        return start;
      }
      this.passInterim(head);
      if (start === bytes.length) return -1;
    }
  }

  private holdResponseHead(bytes: Buffer): void {
    const prefix = latin1(bytes, 0, STATUS_PREFIX.length);
    if (!STATUS_PREFIX.startsWith(prefix) || bytes.length > this.edge.limits.headBytes * 2) {
      this.unframeable();
    } else {
      this.partialHead = Buffer.from(bytes);
    }
  }

  /** 100 Continue and its like; HTTP/1.0 clients would not understand. */
  private passInterim(head: ResponseHead): void {
    if (this.head.minorVersion === 0) return;
    this.client.writer.raw(interimText(head));
    this.client.writer.flush();
  }

  private beginResponse(head: ResponseHead): void {
    const { client } = this;
    const isOldClient = this.head.minorVersion === 0;
    const noLength = head.body === CHUNKED || head.body === UNTIL_CLOSE;
    this.response = head;
    this.keepsClient = this.mayKeepClient() && !(noLength && isOldClient);
    const chunked = noLength && !isOldClient;
    const text = responseText(head, {
      chunked,
      keep: this.keepsClient,
      minorVersion: this.head.minorVersion,
    });
    client.writer.begin(text, chunked);
    client.responseBody.start(head.body);
  }

  private readResponseBody(bytes: Buffer, start: number): void {
    const { client } = this;
    const reader = client.responseBody;
    const stopped = reader.read(bytes, start, client.writer);
    if (reader.malformed) {
      this.unframeable();
    } else if (reader.done) {
      this.finish(stopped === bytes.length);
    } else {
      client.writer.flush();
      if (client.writer.blocked) this.upstream?.socket.pause();
      this.setDeadline(this.edge.clock.monotonic());
    }
  }

  /** The whole response has come. */
  private finish(inStep: boolean): void {
    const { client, target, upstream, response } = this;
    if (upstream === null || target === null || response === null) return;
    client.writer.end(client.responseBody.trailers);
    client.writer.flush();
    this.upstream = null;
    upstream.user = null;
    const nowMs = this.edge.clock.monotonic();
    if (inStep && response.keepAlive && this.requestSent && !upstream.closed) {
      target.keep(upstream, response.keepAliveMs, nowMs);
    } else {
      upstream.destroy();
    }
    if (target.draining) target.row.drained += 1;
    this.end(response.status >= 500 ? 'app-error' : 'ok', nowMs);
    target.requestLeft();
    client.exchangeEnded(this.keepsClient);
  }

  private switchProtocols(head: ResponseHead, rest: Buffer): void {
    const { client, target, upstream } = this;
    if (upstream === null || target === null) return;
    this.upstream = null;
    this.ended = true;
    const upgrade = head.upgrade === '' ? this.head.upgrade : head.upgrade;
    client.writer.raw(switchText(head, upgrade));
    client.writer.flush();
    const tunnel = new Tunnel(this.edge, client, upstream, target, upgrade);
    target.requestLeft();
    tunnel.begin(rest);
  }

  // — what goes wrong —

  private upstreamFailed(): void {
    const { target, upstream } = this;
    if (upstream === null || target === null) return;
    const { connected } = upstream;
    const nowMs = this.edge.clock.monotonic();
    if (!connected) target.suspectUntilMs = nowMs + this.edge.limits.suspectMs;
    this.letGo();
    if (this.response !== null && this.client.writer.started) {
      this.breakResponse('cut');
    } else if (this.mayRetry(connected, nowMs)) {
      this.findRoute();
      this.attempt(nowMs);
    } else if (connected) {
      this.answer(502, 'The instance closed the connection before it had answered.', 'cut');
    } else {
      this.answer(502, 'No connection to an instance could be made.', 'lost');
    }
  }

  private mayRetry(connected: boolean, nowMs: number): boolean {
    if (this.anyResponseByte || this.attempts >= this.edge.limits.attempts) return false;
    if (this.replay === null && this.bodyBegun) return false;
    if (connected && !this.idempotent) return false;
    if (connected && this.reused) {
      // The app closed an idle connection as the request came: nobody's fault, and no load.
      this.wantsNewConnection = true;
      return true;
    }
    return this.target?.budget.spend(nowMs) ?? false;
  }

  private unframeable(): void {
    this.letGo();
    if (this.client.writer.started && this.response !== null) this.breakResponse('lost');
    else this.answer(502, 'The instance sent what is not an HTTP response.', 'lost');
  }

  private refuse(refusal: Refusal): void {
    this.letGo();
    if (this.response !== null && this.client.writer.started) {
      this.breakResponse('client-aborted');
      return;
    }
    this.end('refused');
    this.client.refuse(refusal);
  }

  private breakResponse(outcome: Outcome): void {
    this.letGo();
    this.end(outcome);
    this.client.destroy();
  }

  private answer(status: number, text: string, outcome: Outcome, fields = ''): void {
    const keep = this.mayKeepClient();
    this.end(outcome);
    this.client.answer({
      status,
      text,
      fields,
      headOnly: this.head.method === 'HEAD',
      close: !keep,
    });
    this.client.exchangeEnded(keep);
  }

  /** Leaves the target, its connection not to be used again. */
  private letGo(): void {
    const { target, upstream } = this;
    if (upstream === null || target === null) {
      this.edge.queue.remove(this);
      return;
    }
    this.upstream = null;
    upstream.destroy();
    target.requestLeft();
  }

  private end(outcome: Outcome, nowMs = this.edge.clock.monotonic()): void {
    if (this.ended) return;
    this.ended = true;
    const row = this.target?.row ?? this.route.row;
    row.recordLatency((nowMs - this.startedMs) * 1000);
    this.edge.account.end(row, outcome);
  }

  private mayKeepClient(): boolean {
    return (
      this.head.keepAlive && this.requestSent && !this.edge.retiring && !this.client.saysNoMore()
    );
  }

  private setDeadline(nowMs: number): void {
    const { limits } = this.edge;
    const { client, upstream } = this;
    if (upstream === null) return;
    let waitMs: number;
    if (!upstream.connected) waitMs = limits.connectMs;
    else if (client.writer.blocked) waitMs = limits.bodyProgressMs;
    else if (this.response !== null) waitMs = limits.responseQuietMs;
    else if (this.requestSent || upstream.writer.blocked) waitMs = limits.responseHeadMs;
    else waitMs = limits.bodyProgressMs;
    client.deadlineMs = nowMs + waitMs;
  }
}
