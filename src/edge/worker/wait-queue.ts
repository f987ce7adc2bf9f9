import type { Admission } from '../../model/traffic.ts';

/** A request that waits for a target. */
export interface Waiting {
  /** It is to wake what it waits for: it is no probe. */
  readonly isDemand: boolean;
  /** Goes on if there is a target for it now; false when it still has to wait. */
  tryAgain(): boolean;
  /** Where the rules send it now. */
  destination(): Destination;
  /** There is no place for it where the rules send it now. */
  findNoPlace(): void;
}

/** The environment it waits for, and how many may. */
export interface Destination {
  environment: string;
  admission: Pick<Admission, 'queueLength'>;
  /** Null, or left out, where it never sleeps. */
  wake?: { asleep: boolean } | null;
}

/** A request's place in its environment's line. */
interface Place {
  readonly request: Waiting;
  readonly line: Line;
  before: Place | null;
  behind: Place | null;
}

/** Those who wait for one environment. */
interface Line {
  readonly environment: string;
  count: number;
  first: Place | null;
  last: Place | null;
  beingServed: boolean;
}

/**
 * Requests for which no target is usable now: a line for each environment, each up to a bound, so
 * that one whose instances are gone leaves the others their place. Whoever is first in a line goes
 * first; to join, to leave and to be served cost the same however many wait.
 */
export class WaitQueue {
  private readonly places = new Map<Waiting, Place>();
  private readonly lines = new Map<string, Line>();
  private readonly onWanted: (environment: string) => void;

  /** @param onWanted told when somebody waits for an environment that is asleep */
  constructor(onWanted: (environment: string) => void = () => {}) {
    this.onWanted = onWanted;
  }

  /** Whether others wait for that environment: whoever comes now has to wait behind them. */
  hasLine(environment: string): boolean {
    return this.lines.size > 0 && this.lines.has(environment);
  }

  /**
   * Joins a line at its end; at its front if the request had been with a target before all who wait
   * came. `full` when as many as may are waiting.
   */
  add(
    request: Waiting,
    { environment, admission, wake }: Destination,
    at: 'end' | 'front' = 'end',
  ): Joined {
    const line = this.lines.get(environment) ?? emptyLine(environment);
    if (line.count >= admission.queueLength) return 'full';
    const place: Place = { request, line, before: null, behind: null };
    if (at === 'end') {
      place.before = line.last;
      if (line.last !== null) line.last.behind = place;
      line.last = place;
      line.first ??= place;
    } else {
      place.behind = line.first;
      if (line.first !== null) line.first.before = place;
      line.first = place;
      line.last ??= place;
    }
    line.count += 1;
    this.lines.set(environment, line);
    this.places.set(request, place);
    if (wake?.asleep && request.isDemand) this.onWanted(environment);
    return 'waiting';
  }

  remove(request: Waiting): void {
    const place = this.places.get(request);
    if (place === undefined) return;
    this.places.delete(request);
    const { line, before, behind } = place;
    if (before === null) line.first = behind;
    else before.behind = behind;
    if (behind === null) line.last = before;
    else behind.before = before;
    line.count -= 1;
    if (line.count === 0) this.lines.delete(line.environment);
  }

  /** How many wait, by environment. */
  lengths(): Record<string, number> {
    const lengths: Record<string, number> = {};
    for (const { environment, count } of this.lines.values()) lengths[environment] = count;
    return lengths;
  }

  /** Whether one waits for that environment that is to wake it. */
  hasDemand(environment: string): boolean {
    let place = this.lines.get(environment)?.first ?? null;
    while (place !== null && !place.request.isDemand) place = place.behind;
    return place !== null;
  }

  /** To be called when there may be room for the requests of one environment. */
  serve(environment: string): void {
    const line = this.lines.get(environment);
    // One that is served may make room at once: whoever serves the line sees that too.
    if (line === undefined || line.beingServed) return;
    line.beingServed = true;
    for (let place = line.first; place !== null; place = line.first) {
      if (!place.request.tryAgain()) break;
      this.remove(place.request);
    }
    line.beingServed = false;
  }

  /**
   * To be called when the rules may have changed: who is sent to another environment now joins the
   * line there, in the order in which they came.
   */
  followRules(): void {
    for (const [request, { line }] of [...this.places]) {
      const destination = request.destination();
      if (destination.environment === line.environment) continue;
      this.remove(request);
      if (this.add(request, destination) === 'full') request.findNoPlace();
    }
  }

  /** To be called when the targets of any environment may have changed. */
  serveAll(): void {
    for (const environment of [...this.lines.keys()]) this.serve(environment);
  }
}

type Joined = 'waiting' | 'full';

const emptyLine = (environment: string): Line => ({
  environment,
  count: 0,
  first: null,
  last: null,
  beingServed: false,
});
