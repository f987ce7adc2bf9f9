import { fieldOf } from '../http/field-lines.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { ResponseWitness } from '../worker/response-relay.ts';
import type { CacheRequest } from './cache-request.ts';
import { cacheStatus, type Forwarded } from './cache-status.ts';
import { isStillOf } from './freshening.ts';
import { momentsOf, refreshedBy } from './keeping.ts';
import { KeptResponse } from './kept-response.ts';
import { readResponseFields } from './response-fields.ts';

/** They change nothing at the app (RFC 9110 section 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** A request that the cache lets pass: it says so, and hears what it means for what is kept. */
export class PassingBy implements ResponseWitness {
  private readonly request: CacheRequest;
  private readonly forwarded: Forwarded;
  private readonly detail: string;
  private readonly requestedAt: number;

  constructor(request: CacheRequest, forwarded: Forwarded, detail: string) {
    this.request = request;
    this.forwarded = forwarded;
    this.detail = detail;
    this.requestedAt = request.route.cache.edge.clock.now();
  }

  onHead(head: ResponseHead): string {
    const { head: asked, key, route } = this.request;
    route.cache.counts(route.environment).passed += 1;
    if (!SAFE_METHODS.has(asked.method)) this.invalidate(head);
    else if (asked.method === 'HEAD' && key !== '' && head.status === 200) this.compare(head);
    return this.line(head.status);
  }

  onOwnAnswer(): string {
    return this.line(null);
  }

  onEnd(bodyBytes: number): void {
    const { route } = this.request;
    route.cache.counts(route.environment).appBytes += bodyBytes;
  }

  /** Something has changed: what is kept of it, and of what it names, is not used again (RFC 9111 section 4.4). */
  private invalidate({ fields, status }: ResponseHead): void {
    if (status >= 400) return;
    const { client, head, route } = this.request;
    const named = [fieldOf(fields, 'location'), fieldOf(fields, 'content-location')];
    const targets = named.flatMap((value) => targetOf(value, head.host, head.target) ?? []);
    for (const target of [head.target, ...targets]) {
      route.cache.invalidate(route.keyOf(route.ruleOf(target), client, head.host, target));
    }
  }

  /** What a HEAD says of what is kept of a GET (section 4.3.5). */
  private compare(head: ResponseHead): void {
    const { request } = this;
    const { cache } = request.route;
    const stored = cache.peek(request);
    if (stored === null) return;
    const length = fieldOf(head.fields, 'content-length');
    const isSame = isStillOf(
      stored.kept,
      readResponseFields(head.fields),
      length === null ? null : Number(length),
    );
    const moments = momentsOf(this.requestedAt, cache.edge.clock);
    const refreshed = isSame
      ? refreshedBy(stored, head, request, moments, stored.kept.askedUnder)
      : null;
    if (!refreshed?.keeps) {
      cache.delete(request);
      return;
    }
    const response = new KeptResponse(refreshed.kept, cache.random());
    cache.update(request, refreshed.vary, stored, response);
  }

  private line(status: number | null): string {
    const { detail, forwarded, request } = this;
    return passingLine(request, forwarded, status, detail);
  }
}

/** What the client is told of its request's passing by. */
export function passingLine(
  { route }: CacheRequest,
  forwarded: Forwarded,
  status: number | null,
  detail: string,
): string {
  const report = { forwarded, status, ttlS: null, stored: false, collapsed: false, detail };
  return `Cache-Status: ${cacheStatus(route.name, report)}\r\n`;
}

/** Path and query of an address at the same host; null for others. */
function targetOf(reference: string | null, host: string, base: string): string | null {
  if (reference === null) return null;
  const url = URL.parse(reference, `http://${host}${base}`);
  // Of the scheme nothing is known here: who ends TLS stands before.
  if (url === null || url.host !== host.toLowerCase()) return null;
  return url.pathname + url.search;
}
