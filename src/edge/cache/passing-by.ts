import type { ResponseHead } from '../http/response-head.ts';
import type { ResponseWitness } from '../worker/response-relay.ts';
import type { CacheRequest } from './cache-request.ts';
import { cacheStatus, type Forwarded } from './cache-status.ts';

/** A request that the cache lets pass: it says so, and hears what it means for what is kept. */
export class PassingBy implements ResponseWitness {
  private readonly request: CacheRequest;
  private readonly forwarded: Forwarded;
  private readonly detail: string;

  constructor(request: CacheRequest, forwarded: Forwarded, detail: string) {
    this.request = request;
    this.forwarded = forwarded;
    this.detail = detail;
  }

  onHead(head: ResponseHead): string {
    const { route } = this.request;
    route.cache.counts(route.environment).passed += 1;
    return this.line(head.status);
  }

  onOwnAnswer(): string {
    return this.line(null);
  }

  private line(status: number | null): string {
    const { forwarded, detail } = this;
    const report = { forwarded, status, ttlS: null, stored: false, collapsed: false, detail };
    return `Cache-Status: ${cacheStatus(report)}\r\n`;
  }
}
