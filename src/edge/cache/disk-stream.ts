import type { Outcome } from '../../model/ledger.ts';
import type { Ongoing } from '../worker/client-connection.ts';
import type { CacheAnswer } from './cache-answer.ts';
import { type CacheRequest, FROM_THE_CACHE, type RequestEnd } from './cache-request.ts';
import type { DiskResponse } from './disk/disk-store.ts';
import type { KeptOnDisk } from './kept-on-disk.ts';

const READ_BYTES = 256 * 1024;

/** Sends a body that is on disk alone: the next piece is read while the last is on its way. */
export class DiskStream implements Ongoing {
  private readonly request: CacheRequest;
  private readonly answer: CacheAnswer;
  private readonly keep: boolean;
  private position: number;
  private isOver = false;
  private hasBegun = false;
  private onDrained: (() => void) | null = null;

  constructor(request: CacheRequest, answer: CacheAnswer, keep: boolean) {
    this.request = request;
    this.answer = answer;
    this.keep = keep;
    this.position = answer.start;
  }

  /** @param id of the response that the answer is made of */
  begin(disk: KeptOnDisk, id: string | null): void {
    const { client, route } = this.request;
    client.goOnAs(this);
    client.deadlineMs = Number.POSITIVE_INFINITY;
    this.send(disk, route.cache.keyFor(this.request), id).catch(() => this.fail());
  }

  private async send(disk: KeptOnDisk, key: string, id: string | null): Promise<void> {
    const file = await disk.open(key, id);
    if (file === null) {
      this.fail();
      return;
    }
    try {
      let next = this.read(file);
      while (!this.isOver && this.position < this.answer.end) {
        const bytes = await next;
        if (this.isOver) return;
        this.position += bytes.length;
        if (this.position < this.answer.end) next = this.read(file);
        await this.write(disk, bytes);
      }
    } finally {
      file.close();
    }
    if (!this.isOver) this.end('cached');
  }

  private read(file: DiskResponse): Promise<Buffer> {
    const { end } = this.answer;
    const reading = file.read(this.position, Math.min(READ_BYTES, end - this.position));
    // It is awaited, but perhaps not before it has failed.
    reading.catch(() => {});
    return reading;
  }

  private async write(disk: KeptOnDisk, bytes: Buffer): Promise<void> {
    const { client, route } = this.request;
    client.writer.headAndBody(this.hasBegun ? '' : this.answer.head, bytes);
    this.hasBegun = true;
    const isTaken = client.socket.writableLength === 0;
    if (isTaken) disk.recycle(bytes);
    if (!client.writer.blocked) return;
    const { clock, limits } = route.cache.edge;
    client.deadlineMs = clock.monotonic() + limits.bodyProgressMs;
    await new Promise<void>((resolve) => {
      this.onDrained = resolve;
    });
    // A fresh buffer costs more than what is read into it.
    if (!isTaken && !this.isOver && client.socket.writableLength === 0) disk.recycle(bytes);
    client.deadlineMs = Number.POSITIVE_INFINITY;
  }

  onClientBytes(): void {
    // They are of the next request.
  }

  onClientDrain(): void {
    this.onDrained?.();
    this.onDrained = null;
  }

  onClientGone(): void {
    this.end('client-aborted');
  }

  onDeadline(nowMs: number): void {
    const { client, route } = this.request;
    if (client.writer.progressed()) {
      client.deadlineMs = nowMs + route.cache.edge.limits.bodyProgressMs;
      return;
    }
    this.end('client-aborted');
    client.destroy();
  }

  abandon(): void {
    this.end('lost');
    this.request.client.destroy();
  }

  /** It is not there, or not what was written. */
  private fail(): void {
    if (this.isOver) return;
    const { client, route } = this.request;
    route.cache.forget(this.request);
    if (this.hasBegun) {
      this.end('lost');
      client.destroy();
      return;
    }
    this.isOver = true;
    // It enters anew where it has to ask.
    client.leaveDemand(route.cache.edge.clock.monotonic());
    this.request.goOn();
  }

  private end(outcome: Outcome): void {
    if (this.isOver) return;
    this.isOver = true;
    // Whoever waits for a drain waits in vain: nothing comes after this.
    this.onDrained?.();
    const { start, status } = this.answer;
    const end: RequestEnd = {
      outcome,
      status: this.hasBegun ? status : 0,
      source: FROM_THE_CACHE,
      bodyBytes: this.position - start,
    };
    if (outcome === 'cached') this.request.end(end, this.keep);
    else this.request.count(end);
  }
}
