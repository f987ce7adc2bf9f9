/** Collects the earliest moment at which time alone changes the plan. */
export class Wakes {
  earliest: number | null = null;
  readonly #now: number;

  constructor(now: number) {
    this.#now = now;
  }

  at(moment: number | null): void {
    if (moment === null || moment <= this.#now) return;
    if (this.earliest === null || moment < this.earliest) this.earliest = moment;
  }
}
