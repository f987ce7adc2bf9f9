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
    this.probePaths = new Set(probePaths.map(withoutQuery));
  }

  /** Somebody only asks how the app does. */
  isProbe({ method, target }: Pick<RequestHead, 'method' | 'target'>): boolean {
    return (method === 'GET' || method === 'HEAD') && this.probePaths.has(withoutQuery(target));
  }
}

function withoutQuery(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
