import { type CacheRule, HONOUR_THE_APP, type RoutedCache } from '../../model/cache.ts';
import { keyedCookies, keyedTarget, pathOf } from '../../model/cache-key.ts';
import { CacheRules } from '../../model/cache-rules.ts';
import type { RowPlace } from '../../model/ledger.ts';
import { poolId } from '../../model/snapshot.ts';
import { fieldOf, withoutFields } from '../http/field-lines.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ClientConnection } from '../worker/client-connection.ts';
import type { Route } from '../worker/route.ts';
import { CacheRequest } from './cache-request.ts';
import { cacheName } from './cache-status.ts';
import type { KeptResponse } from './kept-response.ts';
import { isPurgeOf } from './purge-match.ts';
import { type CacheRequestFields, readRequestFields } from './request-fields.ts';
import type { ResponseCache } from './response-cache.ts';

/** A rule, made ready to be asked for every request. */
export interface ReadyRule {
  readonly rule: CacheRule;
  readonly cutsQuery: boolean;
  /** Fields by which answers are told apart, beside those the app names. */
  readonly names: readonly string[];
  /** Of the client's fields those that the app is not told. */
  readonly hidden: ReadonlySet<string>;
}

/** The cache of one environment, by the rules of one snapshot. */
export class CacheRoute {
  readonly environment: string;
  readonly routed: RoutedCache;
  readonly cache: ResponseCache;
  /** By which it is known in Cache-Status. */
  readonly name: string;
  /** The newest purge in force. */
  readonly purge: number;
  private readonly rules: readonly ReadyRule[];
  private readonly finder: CacheRules;
  /** The rule of all paths, where there is but one. */
  private readonly only: ReadyRule | null;
  private readonly prefix: string;
  /** Of the release whose answers are kept; null: of all. */
  readonly ownPool: string | null;

  constructor(cache: ResponseCache, environment: string, routed: RoutedCache, zone: string | null) {
    this.cache = cache;
    this.environment = environment;
    this.routed = routed;
    this.name = cacheName(zone);
    this.purge = routed.purges.at(-1)?.number ?? routed.purgedUpTo;
    this.rules = routed.rules.map(readyRule);
    this.finder = new CacheRules(routed.rules);
    const [first = honour] = this.rules;
    this.only = first.rule.path === '/*' ? first : null;
    this.prefix = `${environment} ${routed.release ?? ''} `;
    this.ownPool = routed.release === null ? null : poolId(environment, routed.release);
  }

  /** Answers a request, asks for it, or lets it pass. */
  enter(client: ClientConnection, head: RequestHead, route: Route): void {
    const rule = this.ruleOf(head.target);
    const asked = readRequestFields(head.fields);
    if (passesBy(head, rule, asked) !== null) {
      new CacheRequest(this, rule, client, head, route, asked).pass();
      return;
    }
    if (route.isDivided && this.isOfAnother(head, route)) {
      new CacheRequest(this, rule, client, head, route, asked).pass('bypass', 'other-version');
      return;
    }
    const key = this.keyOf(rule, client, head.host, head.target);
    const nowMs = this.cache.edge.clock.monotonic();
    const kept = this.cache.find(key, this, rule, head);
    if (kept !== null && nowMs < kept.calmUntilMs && isPlain(head, asked) && client.mayStay(head)) {
      const form = this.formOf(kept, key, rule, head);
      const isFirst = !form.isInOnePiece;
      const whole = form.wholeAt(nowMs, this.name);
      if (whole !== null) {
        if (isFirst) this.cache.recount(kept, key, this, rule, head);
        this.cache.hit(client, head, route, form, whole, nowMs);
        return;
      }
    }
    const request = new CacheRequest(this, rule, client, head, route, asked);
    request.begin(key, kept, nowMs);
  }

  /**
   * Whether its session belongs to another release than what is kept, while two share the traffic: its
   * pages are that one's, and so is all that belongs to them.
   */
  private isOfAnother(head: RequestHead, { stickiness }: Route): boolean {
    const pool = this.ownPool === null ? null : (stickiness?.poolIdIn(head.fields) ?? null);
    return pool !== null && pool !== this.ownPool;
  }

  /** What to answer with: compressed, if the client takes it so and it has been made. */
  formOf(kept: KeptResponse, key: string, rule: ReadyRule, head: RequestHead): KeptResponse {
    if (this.routed.compress !== true) return kept;
    return this.cache.compression.formOf(kept, key, this, rule, head);
  }

  /** The fields that an app is told of a request that is made for all. */
  sharedFields({ hidden, rule }: ReadyRule, fields: string): string {
    if (hidden.size === 0) return fields;
    const cookies = keyedCookies(rule.cookies, fieldOf(fields, 'cookie') ?? '');
    const cookie = cookies === '' ? '' : `Cookie: ${cookies}\r\n`;
    return withoutFields(fields, hidden) + cookie;
  }

  /** Whether a purge concerns it; a look at what is new since it was last asked. */
  isPurged(response: KeptResponse): boolean {
    const { askedUnder } = response.kept;
    // Purges number on; not so where the records have been restored from an earlier day.
    if (response.notPurgedBy >= this.purge) return askedUnder > this.purge;
    if (askedUnder < this.routed.purgedUpTo) return true;
    const concerns = this.routed.purges.some(
      (purge) => purge.number > response.notPurgedBy && isPurgeOf(purge, response.kept),
    );
    if (!concerns) response.notPurgedBy = this.purge;
    return concerns;
  }

  /** Whether what is answered there may be kept: by this environment, and by the release whose answers are. */
  isOwn(place: RowPlace | undefined): boolean {
    // While a request waits, its name may be given to another environment.
    if (place?.environment !== this.environment) return false;
    return this.routed.release === null || this.routed.release === place.release;
  }

  ruleOf(target: string): ReadyRule {
    if (this.only !== null) return this.only;
    return this.rules[this.finder.find(pathOf(target))] ?? honour;
  }

  /**
   * Everything the app may answer differently for, but the fields by which answers vary. The Host is
   * taken with its port, and what a trusted proxy says of the client's own address counts as well:
   * apps write both into what they answer.
   *
   * @param target of the request, or of another at the same host
   */
  keyOf(
    { cutsQuery, rule }: ReadyRule,
    client: ClientConnection,
    host: string,
    target: string,
  ): string {
    const authority = client.forwarded.addressed(host);
    return `${this.prefix}${authority}${cutsQuery ? keyedTarget(rule, target) : target}`;
  }
}

const NOTHING: ReadonlySet<string> = new Set();
const COOKIE: ReadonlySet<string> = new Set(['cookie']);

function readyRule(rule: CacheRule): ReadyRule {
  const { query, headers, cookies, leastS, otherwiseS } = rule;
  // A lifetime that the app has not said.
  const isSameForAll = otherwiseS !== null || leastS > 0;
  return {
    rule,
    cutsQuery: query.mode === 'only' || query.names.length > 0,
    // Of the cookies, the app and the key have those that are named.
    names: cookies.length > 0 ? [...headers, 'cookie'] : headers,
    // Paths that are said to be the same for everybody: nobody's cookies are told there.
    hidden: isSameForAll || cookies.length > 0 ? COOKIE : NOTHING,
  };
}

const honour = readyRule(HONOUR_THE_APP);

/** Why the cache has nothing to do with a request; null: it has. */
export function passesBy(
  head: RequestHead,
  { rule }: ReadyRule,
  asked: CacheRequestFields | null,
): 'method' | 'body' | 'upgrade' | 'rule' | 'override' | 'condition' | null {
  if (head.method !== 'GET' && head.method !== 'HEAD') return 'method';
  // What a GET carries beside its address is in no key.
  if (head.body !== 0) return 'body';
  if (head.upgrade !== '') return 'upgrade';
  if (rule.bypass) return 'rule';
  if (asked === null) return null;
  if (asked.overridesMethod || asked.overridesAddress) return 'override';
  // These are for whoever has the current state (RFC 9111 section 4.3.2).
  return asked.ifMatch !== null || asked.ifUnmodifiedSince !== null ? 'condition' : null;
}

/** It wants the whole answer, whatever its age. */
function isPlain(head: RequestHead, asked: CacheRequestFields | null): boolean {
  if (head.method !== 'GET' || head.minorVersion === 0) return false;
  if (asked === null) return true;
  const { cacheControl, range, ifNoneMatch, ifModifiedSince } = asked;
  return (
    cacheControl === null && range === null && ifNoneMatch === null && ifModifiedSince === null
  );
}
