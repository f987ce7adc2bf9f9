/**
 * The environments that are asleep while requests wait for them, as the supervisor was told: once for
 * each, however many wait, and again when it is over.
 */
export class Wanted {
  private told: ReadonlySet<string> = new Set();
  private readonly tell: () => void;

  /** @param tell that they have changed */
  constructor(tell: () => void) {
    this.tell = tell;
  }

  /** The first that waits for one, or another. */
  add(environment: string): void {
    if (this.told.has(environment)) return;
    this.set([...this.told, environment]);
  }

  /** Some of them may have been woken, or left. */
  replace(environments: readonly string[]): void {
    const same =
      environments.length === this.told.size && environments.every((each) => this.told.has(each));
    if (!same) this.set(environments);
  }

  get environments(): readonly string[] {
    return [...this.told];
  }

  private set(environments: readonly string[]): void {
    this.told = new Set(environments);
    this.tell();
  }
}
