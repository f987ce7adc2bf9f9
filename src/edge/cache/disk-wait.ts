import type { Ongoing } from '../worker/client-connection.ts';
import { type CacheRequest, FROM_THE_CACHE } from './cache-request.ts';
import type { KeptResponse } from './kept-response.ts';

/** A disk that takes longer has less to offer than the app. */
const PATIENCE_MS = 2_000;

/** A client that waits until it is known whether the disk has what memory has not. */
export class DiskWait implements Ongoing {
  private readonly request: CacheRequest;
  private isOver = false;

  constructor(request: CacheRequest) {
    this.request = request;
  }

  begin(): void {
    const { client, route } = this.request;
    client.goOnAs(this);
    client.deadlineMs = route.cache.edge.clock.monotonic() + PATIENCE_MS;
    route.cache.bring(this.request).then(
      (kept) => this.goOn(kept),
      () => this.goOn(null),
    );
  }

  onClientBytes(): void {
    // They are of the next request.
  }

  onClientDrain(): void {
    // Nothing has been written yet.
  }

  onClientGone(): void {
    this.giveUp('client-aborted');
  }

  onDeadline(): void {
    this.goOn(null);
  }

  abandon(): void {
    this.giveUp('lost');
    this.request.client.destroy();
  }

  private goOn(kept: KeptResponse | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.request.goOn(kept);
  }

  private giveUp(outcome: 'client-aborted' | 'lost'): void {
    if (this.isOver) return;
    this.isOver = true;
    this.request.count({ outcome, status: 0, source: FROM_THE_CACHE, bodyBytes: 0 });
  }
}
