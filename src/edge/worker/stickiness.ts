import type { Clock } from '../../kernel/clock.ts';
import type { Rule } from '../../model/snapshot.ts';
import type { PoolState } from './pool-state.ts';
import { cookieLine, findCookie } from './session-cookie.ts';
import { type SessionSigner, SIGNATURE_LENGTH, TAG_LENGTH } from './session-signer.ts';
import type { TargetState } from './target-state.ts';

/** Where a client was before, as its cookies say and our signature confirms: tags of them. */
export interface Assignment {
  /** Empty for none, or one that is not kept any more. */
  pool: string;
  target: string;
}

/** Stands for the target where only pools are kept. */
const NO_TAG = '.'.repeat(TAG_LENGTH);
/** Seconds since the epoch in base 36, until the year 4453. */
const TIME_LENGTH = 7;
const TIME_AT = 2 * TAG_LENGTH;
const VALUE_LENGTH = TIME_AT + TIME_LENGTH + SIGNATURE_LENGTH;
/** A client has one; somebody who set them for a wider domain may have added others. */
const MOST_COOKIES = 3;

/**
 * Keeps the sessions of one route where they are, by a signed cookie that names, in tags only we
 * understand, the pool, the target, and when it was said. It is said anew with every answer.
 *
 * A session moves for good when its target is gone, unhealthy, draining, ejected or refuses
 * connections. One that only goes elsewhere for a request, because its target is full, comes back.
 */
export class Stickiness {
  private readonly rule: Pick<Rule, 'stickyMs' | 'poolStickyMs'>;
  private readonly signer: SessionSigner;
  private readonly clock: Clock;
  private readonly pools = new Map<string, PoolState>();
  private readonly targets = new Map<string, TargetState>();
  /** By the pools' ids. */
  private readonly poolTags = new Map<string, string>();
  /** What was last said, by pool and target: it is the same for all clients for a second. */
  private readonly lines = new Map<string, { seconds: number; line: string }>();

  /** @param pools those a request may go to */
  constructor(
    rule: Pick<Rule, 'stickyMs' | 'poolStickyMs'>,
    pools: readonly PoolState[],
    signer: SessionSigner,
    clock: Clock,
  ) {
    this.rule = rule;
    this.signer = signer;
    this.clock = clock;
    for (const pool of pools) {
      const tag = signer.tagOf(pool, pool.id);
      this.pools.set(tag, pool);
      this.poolTags.set(pool.id, tag);
      if (rule.stickyMs === null) continue;
      for (const target of pool.targets.values()) this.targets.set(this.tagOf(target), target);
    }
  }

  /** @param fields the request's header lines; null when they carry no valid cookie of ours */
  read(fields: string): Assignment | null {
    let at = findCookie(fields, 0);
    for (let count = 0; at !== -1 && count < MOST_COOKIES; count += 1) {
      const value = fields.slice(at, at + VALUE_LENGTH);
      if (this.signer.isSigned(value)) return this.assignmentIn(value);
      at = findCookie(fields, at);
    }
    return null;
  }

  targetOf(assignment: Assignment): TargetState | null {
    return this.targets.get(assignment.target) ?? null;
  }

  poolOf(assignment: Assignment): PoolState | null {
    return this.pools.get(assignment.pool) ?? null;
  }

  /** The id of the pool that a session belongs to; null where that is none in particular. */
  poolIdIn(fields: string): string | null {
    const assignment = this.read(fields);
    if (assignment === null) return null;
    return this.poolOf(assignment)?.id ?? this.targetOf(assignment)?.pool ?? null;
  }

  /** The `Set-Cookie` line for an answer from there, with its CRLF. */
  fields(before: Assignment | null, target: TargetState): string {
    const home = this.rule.stickyMs === null ? null : this.targetAfter(before, target);
    const tags =
      home === null
        ? this.poolTagAfter(before, target) + NO_TAG
        : this.poolTagOf(home.pool) + this.tagOf(home);
    const now = this.clock.now();
    const seconds = Math.floor(now / 1000);
    const said = this.lines.get(tags);
    if (said !== undefined && said.seconds === seconds) return said.line;
    const text = tags + seconds.toString(36).padStart(TIME_LENGTH, '0');
    const keptMs = Math.max(this.rule.stickyMs ?? 0, this.rule.poolStickyMs ?? 0);
    const line = cookieLine(this.signer.sign(text), keptMs, now);
    this.lines.set(tags, { seconds, line });
    return line;
  }

  private assignmentIn(value: string): Assignment | null {
    const seconds = Number.parseInt(value.slice(TIME_AT, TIME_AT + TIME_LENGTH), 36);
    const ageMs = this.clock.now() - seconds * 1000;
    const { stickyMs, poolStickyMs } = this.rule;
    const keepsPool = poolStickyMs !== null && ageMs <= poolStickyMs;
    const keepsTarget = stickyMs !== null && ageMs <= stickyMs;
    if (!keepsPool && !keepsTarget) return null;
    return {
      pool: keepsPool ? value.slice(0, TAG_LENGTH) : '',
      target: keepsTarget ? value.slice(TAG_LENGTH, TIME_AT) : '',
    };
  }

  private targetAfter(before: Assignment | null, target: TargetState): TargetState {
    const home = before && this.targetOf(before);
    if (home === null || home.rotation !== 'healthy') return target;
    return home.suspectUntilMs <= this.clock.monotonic() ? home : target;
  }

  private poolTagAfter(before: Assignment | null, target: TargetState): string {
    const pool = before && this.poolOf(before);
    return this.poolTagOf(pool !== null && pool.healthy.length > 0 ? pool.id : target.pool);
  }

  private poolTagOf(id: string): string {
    return this.poolTags.get(id) ?? NO_TAG;
  }

  private tagOf(target: TargetState): string {
    return this.signer.tagOf(target, `${target.pool} ${target.id}`);
  }
}
