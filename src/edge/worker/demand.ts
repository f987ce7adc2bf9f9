/**
 * Who wants an environment that falls asleep when nobody does: requests inside the worker, those that
 * wait and upgraded connections among them, and when the last of them left. Probes are none.
 */
export class Demand {
  private inside = 0;
  private lastMs: number;

  /** Nobody knows what came before: as if somebody had just left. */
  constructor(nowMs: number) {
    this.lastMs = nowMs;
  }

  enter(): void {
    this.inside += 1;
  }

  leave(nowMs: number): void {
    this.inside -= 1;
    this.lastMs = nowMs;
  }

  /** How long nobody has wanted it. */
  quietMs(nowMs: number): number {
    return this.inside > 0 ? 0 : nowMs - this.lastMs;
  }
}
