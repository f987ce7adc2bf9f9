/** A request that waits for a target. */
export interface Waiting {
  /** Goes on if there is a target for it now; false when it still has to wait. */
  tryAgain(): boolean;
}

/** Requests for which no target is usable now, in the order they came, up to a bound. */
export class WaitQueue {
  private readonly waiting = new Set<Waiting>();
  private readonly length: number;

  constructor(length: number) {
    this.length = length;
  }

  /** `shed` when the queue is full. */
  add(request: Waiting): 'waiting' | 'shed' {
    if (this.waiting.size >= this.length) return 'shed';
    this.waiting.add(request);
    return 'waiting';
  }

  remove(request: Waiting): void {
    this.waiting.delete(request);
  }

  /** To be called when targets may have become usable. */
  serve(): void {
    for (const request of [...this.waiting]) {
      if (request.tryAgain()) this.waiting.delete(request);
    }
  }
}
