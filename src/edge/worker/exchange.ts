import type { Outcome } from '../../model/ledger.ts';
import { CHUNKED } from '../http/body-framing.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Access } from './access-log.ts';
import type { Attempts } from './attempts.ts';
import type { EdgeContext } from './edge-context.ts';
import type { ExchangeClient } from './exchange-client.ts';
import { waitMs, waitOf } from './exchange-wait.ts';
import { requestText } from './message-text.ts';
import { type OwnAnswer, ownAnswers } from './own-answers.ts';
import type { RequestBody } from './request-body.ts';
import type { ResponseWitness } from './response-relay.ts';
import type { Route } from './route.ts';
import type { Assignment } from './stickiness.ts';
import type { TargetState } from './target-state.ts';
import type { UpstreamConnection, UpstreamUser } from './upstream-connection.ts';
import type { Waiting } from './wait-queue.ts';

/**
 * One request's way through the edge: to a target, or into the queue; out on a connection, perhaps
 * on a second one; the response back. It ends exactly once, with one outcome.
 */
export class Exchange implements UpstreamUser, Waiting {
  private readonly edge: EdgeContext;
  private readonly client: ExchangeClient;
  private readonly head: RequestHead;
  private readonly body: RequestBody;
  private readonly attempts: Attempts;
  private route: Route;
  private readonly startedMs: number;
  private readonly id: string;
  /** The targets and pools this client was with before; null where sessions do not stick. */
  private readonly assignment: Assignment | null;
  /** The last target tried. */
  target: TargetState | null = null;
  private upstream: UpstreamConnection | null = null;
  private pumpIsDue = false;
  private ended = false;

  constructor(edge: EdgeContext, client: ExchangeClient, head: RequestHead, route: Route) {
    this.edge = edge;
    this.client = client;
    this.head = head;
    this.body = client.requestBody;
    this.attempts = client.attempts;
    this.route = route;
    this.startedMs = edge.clock.monotonic();
    this.id = client.forwarded.requestId ?? edge.requestId();
    this.assignment = route.stickiness?.read(head.fields) ?? null;
  }

  /** @param witness told of the app's answer; null for nobody */
  begin(witness: ResponseWitness | null): void {
    const { requestBodyBytes } = this.route.admission;
    this.client.response.start(this.head, witness);
    if (this.head.body > requestBodyBytes) {
      this.refuse(refusals.bodyTooLarge);
      return;
    }
    this.body.start(this.head.body, this.client.requests, requestBodyBytes);
    this.attempts.start(this.head.method);
    this.client.requestsUsed();
    this.attempt(this.startedMs);
  }

  get isDemand(): boolean {
    return this.client.demand !== null;
  }

  tryAgain(): boolean {
    const nowMs = this.edge.clock.monotonic();
    this.route = this.destination();
    const target = this.route.pick(this.assignment, null, nowMs, this.client.poolId);
    if (target === null || this.attempts.areExhausted(target, nowMs)) return false;
    this.send(target, nowMs);
    return true;
  }

  /** The rules may have changed since it came. Those it came under do where none are left. */
  destination(): Route {
    return this.edge.table.find(this.head.hostName) ?? this.route;
  }

  findNoPlace(): void {
    this.answer(ownAnswers.queueFull);
  }

  /** More bytes came from the client, or there will be none. */
  onClientBytes(): void {
    if (this.body.sent || this.pumpIsDue) return;
    this.pumpIsDue = true;
    // Behind the other events of this turn: an app that answers early and closes makes the next
    // write fail, and its answer, which has come, would go down with the connection.
    setImmediate(() => {
      this.pumpIsDue = false;
      this.pumpRequestBody();
    });
  }

  onClientDrain(): void {
    this.upstream?.socket.resume();
    this.setDeadline(this.edge.clock.monotonic());
  }

  onClientGone(): void {
    if (this.ended) return;
    this.letGo();
    this.end('client-aborted', this.client.response.toldStatus);
  }

  onUpstreamConnect(): void {
    this.setDeadline(this.edge.clock.monotonic());
    this.pumpRequestBody();
  }

  onUpstreamDrain(): void {
    if (this.upstream) this.upstream.writer.blocked = false;
    this.setDeadline(this.edge.clock.monotonic());
    this.pumpRequestBody();
  }

  onUpstreamData(bytes: Buffer): void {
    const { upstream } = this;
    if (upstream === null) return;
    switch (this.client.response.read(bytes, upstream, this.edge.limits.headBytes * 2)) {
      case 'partly':
        // A head that comes byte by byte has no more time than one that comes at once.
        if (this.client.response.head !== null) this.setDeadline(this.edge.clock.monotonic());
        return;
      case 'whole':
        this.finish(true);
        return;
      case 'ahead':
        this.finish(false);
        return;
      case 'switching':
        this.switchProtocols();
        return;
      case 'unframeable':
        this.unframeable();
    }
  }

  onUpstreamEnd(): void {
    if (this.client.response.untilClose) this.finish(false);
    else this.upstreamFailed();
  }

  onUpstreamReset(): void {
    this.upstreamFailed();
  }

  onDeadline(nowMs: number): void {
    switch (waitOf(this.upstream, this.client, this.body.sent)) {
      case 'target':
        this.route = this.destination();
        this.client.deadlineMs = this.attempts.waitsOnUntil(this.route, nowMs) ?? nowMs;
        if (this.client.deadlineMs > nowMs) return;
        this.edge.queue.remove(this);
        this.answer(this.route.atCapacity ? ownAnswers.busy : this.attempts.noTarget);
        return;
      case 'connection':
        this.upstreamFailed();
        return;
      case 'body':
        this.refuse(refusals.bodyTooSlow);
        return;
      case 'app-reads':
        if (this.upstream?.writer.progressed()) this.setDeadline(nowMs);
        else this.tooSlow(nowMs);
        return;
      case 'head':
        this.tooSlow(nowMs);
        return;
      case 'client-reads':
        if (this.client.writer.progressed()) this.setDeadline(nowMs);
        else this.breakResponse('client-aborted');
        return;
      case 'response':
        // An app that waits for the rest of the request cannot go on: that is the client's doing.
        if (this.body.sent) this.target?.answered(false, nowMs);
        this.breakResponse(this.body.sent ? 'lost' : 'client-aborted');
    }
  }

  /** The worker gives up on what is still inside it. */
  abandon(): void {
    if (this.ended) return;
    this.edge.queue.remove(this);
    this.breakResponse('lost');
  }

  // — the request —

  private attempt(nowMs: number): void {
    const { assignment, client, edge, route } = this;
    // One that was with a target already came before all who wait.
    const isFirst = this.attempts.count > 0 || !edge.queue.hasLine(route.environment);
    const target = isFirst ? route.pick(assignment, this.target, nowMs, client.poolId) : null;
    if (target !== null && !this.attempts.areExhausted(target, nowMs)) this.send(target, nowMs);
    else if (target !== null) this.allRefused(nowMs);
    else if (edge.queue.add(this, route, isFirst ? 'front' : 'end') === 'full') this.findNoPlace();
    else this.setDeadline(nowMs);
  }

  private send(target: TargetState, nowMs: number): void {
    const upstream = this.attempts.begin(target, nowMs);
    this.target = target;
    this.upstream = upstream;
    target.inFlight += 1;
    const { stickiness } = this.route;
    if (stickiness !== null) {
      this.client.response.moreFields = stickiness.fields(this.assignment, target);
    }
    upstream.user = this;
    const forwarded = this.client.forwarded.forRequest(this.head) + target.loopField;
    const text = requestText(this.head, target, forwarded, this.id);
    upstream.writer.begin(text, this.head.body === CHUNKED);
    if (this.body.replay) upstream.writer.raw(this.body.replay);
    // What has come of a body goes with the head.
    if (this.attempts.reused && !this.body.sent) this.pumpRequestBody();
    else upstream.writer.flush();
    this.setDeadline(nowMs);
  }

  private pumpRequestBody(): void {
    const { body, client, upstream } = this;
    if (body.sent || upstream === null || !upstream.connected || upstream.writer.blocked) return;
    const refusal = body.pump(client.requests, upstream.writer);
    if (refusal !== null) {
      this.refuse(refusal);
      return;
    }
    client.requestsUsed();
    if (!body.sent && client.halfClosed) client.destroy();
    else this.setDeadline(this.edge.clock.monotonic());
  }

  // — the response —

  /** The whole response has come. @param inStep and nothing behind it */
  private finish(inStep: boolean): void {
    const { client, target, upstream } = this;
    const { head: response, keepsClient } = client.response;
    if (upstream === null || target === null || response === null) return;
    client.response.end();
    this.upstream = null;
    upstream.user = null;
    const nowMs = this.edge.clock.monotonic();
    if (inStep && response.keepAlive && this.body.sent && upstream.reusable) {
      target.keep(upstream, response.keepAliveMs, nowMs);
    } else {
      upstream.destroy();
    }
    if (target.draining) target.row.drained += 1;
    const isError = response.status >= 500;
    target.answered(!isError, nowMs);
    this.end(isError ? 'app-error' : 'ok', response.status, nowMs);
    target.requestLeft();
    client.exchangeEnded(keepsClient, nowMs);
  }

  private switchProtocols(): void {
    const { client, target, upstream } = this;
    const { head } = client.response;
    if (upstream === null || target === null || head === null) return;
    this.upstream = null;
    this.ended = true;
    const upgrade = head.upgrade === '' ? this.head.upgrade : head.upgrade;
    const { bytes, position } = upstream.heads;
    const access = this.edge.accessLog === null ? null : this.access('ok', head.status);
    const tunnel = client.openTunnel(head, upgrade, upstream, target, access);
    target.answered(true, this.edge.clock.monotonic());
    target.requestLeft();
    tunnel.begin(bytes.subarray(position));
  }

  // — what goes wrong —

  private upstreamFailed(): void {
    const { target, upstream } = this;
    if (upstream === null || target === null) return;
    const { connected } = upstream;
    const nowMs = this.edge.clock.monotonic();
    if (!connected) target.suspectUntilMs = nowMs + this.edge.limits.suspectMs;
    this.letGo();
    const { heard, started } = this.client.response;
    const again = !heard && this.attempts.mayGoOn(target, connected, nowMs);
    // An app that closes an idle connection as a request comes has done nothing wrong.
    if (!(again && connected && this.attempts.reused)) target.answered(false, nowMs);
    if (started) {
      this.breakResponse('cut');
    } else if (again) {
      this.route = this.destination();
      this.attempt(nowMs);
    } else if (connected) {
      this.answer(ownAnswers.closedEarly);
    } else {
      this.allRefused(nowMs);
    }
  }

  /** No instance has seen it: it waits in front of all others for one that will. */
  private allRefused(nowMs: number): void {
    const untilMs = this.client.needsApp ? this.attempts.waitsUntil(nowMs) : null;
    if (untilMs === null) this.answer(ownAnswers.noConnection);
    else if (this.edge.queue.add(this, this.route, 'front') === 'full') this.findNoPlace();
    else this.client.deadlineMs = untilMs;
  }

  private tooSlow(nowMs: number): void {
    this.target?.answered(false, nowMs);
    this.letGo();
    this.answer(ownAnswers.tooSlow);
  }

  private unframeable(): void {
    this.target?.answered(false, this.edge.clock.monotonic());
    if (this.client.response.started) {
      this.breakResponse('lost');
      return;
    }
    this.letGo();
    this.answer(ownAnswers.notHttp);
  }

  private refuse(refusal: Refusal): void {
    this.letGo();
    if (this.client.response.started) {
      this.breakResponse('client-aborted');
      return;
    }
    this.end('refused', refusal.status);
    this.client.refuse(refusal);
  }

  private breakResponse(outcome: Outcome): void {
    this.letGo();
    this.end(outcome, this.client.response.toldStatus);
    if (this.client.response.endsWithConnection) this.client.reset();
    else this.client.destroy();
  }

  private answer(own: OwnAnswer): void {
    const keep = this.client.mayKeep(this.head);
    const fields = own.fields + this.client.response.ownFields(own.status);
    this.end(own.outcome, own.status);
    this.client.answer({ ...own, fields, headOnly: this.head.method === 'HEAD', close: !keep });
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

  /** @param status that was answered; 0 for none */
  private end(outcome: Outcome, status: number, nowMs = this.edge.clock.monotonic()): void {
    if (this.ended) return;
    this.ended = true;
    const { edge, target } = this;
    const row = target?.row ?? this.route.row;
    const durationMs = nowMs - this.startedMs;
    target?.count(outcome, durationMs * 1000);
    if (!this.client.isCounted(row, outcome)) return;
    row.recordLatency(durationMs * 1000);
    edge.account.end(row, outcome, status);
    if (!edge.watchesEnds) return;
    this.client.leaveDemand(nowMs);
    edge.accessLog?.write(this.access(outcome, status, nowMs));
  }

  private access(outcome: Outcome, status: number, nowMs = this.edge.clock.monotonic()): Access {
    return {
      head: this.head,
      client: this.client.forwarded.clientOf(this.head),
      environment: this.route.environment,
      target: this.target?.id ?? null,
      requestId: this.id,
      status,
      outcome,
      bodyBytes: this.client.response.bodyBytes,
      durationMs: nowMs - this.startedMs,
    };
  }

  private setDeadline(nowMs: number): void {
    const { admission } = this.route;
    const wait = waitOf(this.upstream, this.client, this.body.sent);
    this.client.deadlineMs = nowMs + waitMs(wait, this.edge.limits, admission, this.target);
  }
}
