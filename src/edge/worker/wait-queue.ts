import type { Admission } from '../../model/traffic.ts';

/** A request that waits for a target. */
export interface Waiting {
  /** Goes on if there is a target for it now; false when it still has to wait. */
  tryAgain(): boolean;
}

/** The environment it waits for, and how many may. */
interface Place {
  environment: string;
  admission: Pick<Admission, 'queueLength'>;
}

/**
 * Requests for which no target is usable now, in the order they came, up to a bound for each
 * environment, so that one whose instances are gone leaves the others their place.
 */
export class WaitQueue {
  /** With the environment each was counted under. */
  private readonly waiting = new Map<Waiting, string>();
  private readonly counts = new Map<string, number>();

  /** `full` when as many of its environment are waiting. */
  add(request: Waiting, { environment, admission }: Place): 'waiting' | 'full' {
    const count = this.counts.get(environment) ?? 0;
    if (count >= admission.queueLength) return 'full';
    this.counts.set(environment, count + 1);
    this.waiting.set(request, environment);
    return 'waiting';
  }

  remove(request: Waiting): void {
    const environment = this.waiting.get(request);
    if (environment === undefined) return;
    this.waiting.delete(request);
    const count = (this.counts.get(environment) ?? 0) - 1;
    if (count > 0) this.counts.set(environment, count);
    else this.counts.delete(environment);
  }

  /** To be called when targets may have become usable. */
  serve(): void {
    for (const request of [...this.waiting.keys()]) {
      if (request.tryAgain()) this.remove(request);
    }
  }
}
