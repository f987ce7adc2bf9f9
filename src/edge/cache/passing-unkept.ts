import type { ResponseHead } from '../http/response-head.ts';
import type { ResponseWitness } from '../worker/response-relay.ts';
import type { CacheRequest } from './cache-request.ts';
import { momentsOf, verdictOn } from './keeping.ts';
import { passingLine } from './passing-by.ts';

/**
 * A request for what was not kept a moment ago: it passes by, because most such answers are never
 * kept, and shows whether the next is to be.
 */
export class PassingUnkept implements ResponseWitness {
  private readonly request: CacheRequest;
  private readonly requestedAt: number;

  constructor(request: CacheRequest) {
    this.request = request;
    this.requestedAt = request.route.cache.edge.clock.now();
  }

  onHead(head: ResponseHead): string {
    const { request, requestedAt } = this;
    const { cache, environment, purge } = request.route;
    cache.counts(environment).passed += 1;
    const moments = momentsOf(requestedAt, cache.edge.clock);
    const verdict = verdictOn(head, request, moments, purge);
    if (verdict.keeps) cache.expectNext(request.passKey);
    return passingLine(request, 'uri-miss', head.status, verdict.keeps ? '' : verdict.why);
  }

  onOwnAnswer(): string {
    return passingLine(this.request, 'uri-miss', null, '');
  }

  onEnd(bodyBytes: number): void {
    const { cache, environment } = this.request.route;
    cache.counts(environment).appBytes += bodyBytes;
  }
}
