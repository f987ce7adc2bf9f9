import type { WakeRule } from '../../model/snapshot.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Demand } from './demand.ts';

/** What a route to an environment that falls asleep does beside routing. */
export class Wake {
  /** Nothing runs: whoever waits for it is told of. */
  readonly asleep: boolean;
  readonly demand: Demand;
  private readonly probePaths: ReadonlySet<string>;

  constructor({ asleep, probePaths }: WakeRule, demand: Demand) {
    this.asleep = asleep;
    this.demand = demand;
    this.probePaths = new Set(probePaths);
  }

  /** Somebody only asks how the app does. */
  isProbe({ method, target }: Pick<RequestHead, 'method' | 'target'>): boolean {
    if (method !== 'GET' && method !== 'HEAD') return false;
    // A path that is told apart by its query is not meant without it.
    return this.probePaths.has(target) || this.probePaths.has(withoutQuery(target));
  }
}

function withoutQuery(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
