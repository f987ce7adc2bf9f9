import type { Limits } from '../limits.ts';
import { type OwnAnswer, ownAnswers } from './own-answers.ts';
import type { RequestBody } from './request-body.ts';
import type { Route } from './route.ts';
import type { TargetState } from './target-state.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** How often a request was sent, and whether it may be again. One per connection, used in turn. */
export class Attempts {
  count = 0;
  /** Of them, those for which no connection came about: no instance has seen the request. */
  private unconnected = 0;
  /** When every target had refused it first; null while none, or not all, have. */
  refusedAtMs: number | null = null;
  /** The connection in use had served another request before. */
  reused = false;
  private idempotent = false;
  /** A reused connection broke already: the next must be a new one. */
  private wantsNewConnection = false;
  private readonly body: RequestBody;
  private readonly limits: Limits;

  constructor(body: RequestBody, limits: Limits) {
    this.body = body;
    this.limits = limits;
  }

  start(method: string): void {
    this.count = 0;
    this.unconnected = 0;
    this.refusedAtMs = null;
    this.reused = false;
    this.idempotent = method === 'GET' || IDEMPOTENT.has(method);
    this.wantsNewConnection = false;
  }

  /** The connection for the next one. */
  begin(target: TargetState, nowMs: number): UpstreamConnection {
    this.count += 1;
    if (this.count > 1) target.row.countRetry();
    else target.budget.request();
    const repeatable = this.idempotent && this.body.replay !== null;
    const idle = this.wantsNewConnection ? null : target.takeIdle(repeatable, nowMs);
    this.reused = idle !== null;
    return idle ?? target.connect();
  }

  /** Whether there may be another, after one without a byte of an answer. */
  mayGoOn(target: TargetState, connected: boolean, nowMs: number): boolean {
    if (!connected) this.unconnected += 1;
    if (this.count - this.unconnected >= this.limits.attempts || !this.body.whole) return false;
    if (connected && !this.idempotent) return false;
    if (connected && this.reused) {
      // The app closed an idle connection as the request came: nobody's fault, and no load.
      this.wantsNewConnection = true;
      return true;
    }
    return target.budget.spend(nowMs);
  }

  /** Only targets are left that have just refused a connection, and it has been at enough of them. */
  areExhausted(target: TargetState, nowMs: number): boolean {
    return this.count >= this.limits.attempts && target.suspectUntilMs > nowMs;
  }

  /**
   * Every target has refused it: whoever takes their place may be a moment away.
   *
   * @returns until when it may wait for them; null: no longer, or it could not be sent again
   */
  waitsUntil(nowMs: number): number | null {
    this.refusedAtMs ??= nowMs;
    const untilMs = this.refusedAtMs + this.limits.refusedWaitMs;
    return this.body.whole && nowMs < untilMs ? untilMs : null;
  }

  /** Those that refused it are gone: until when it waits on as all others do; null: no longer. */
  waitsOnUntil(route: Route, nowMs: number): number | null {
    if (this.refusedAtMs === null || route.pick(null, null, nowMs) !== null) return null;
    const untilMs = this.refusedAtMs + route.admission.queueMs;
    return nowMs < untilMs ? untilMs : null;
  }

  /** What is said when it has waited for a target in vain. */
  get noTarget(): OwnAnswer {
    return this.refusedAtMs === null ? ownAnswers.noInstance : ownAnswers.noConnection;
  }
}
