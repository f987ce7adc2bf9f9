import type { Clock } from '../../kernel/clock.ts';
import type { HealthCheck } from '../../model/configuration.ts';
import type { Target } from '../../model/snapshot.ts';
import type { DeepReport } from '../../model/target.ts';
import { ask } from './ask.ts';
import { readDeepReport } from './deep-report.ts';
import { matches } from './probe.ts';
import { jittered, partOf } from './spread.ts';

/**
 * The deep check of one target: a loop of its own beside the one that routing follows, so that an
 * app that waits for its database delays nobody but itself.
 */

/** ALB's default. What is asked in depth may take longer than what routing waits for. */
const MIN_TIMEOUT_MS = 5_000;

export type DeepProbe = (
  target: Pick<Target, 'host' | 'port'>,
  check: Pick<HealthCheck, 'matcher' | 'timeoutMs'>,
  path: string,
  signal: AbortSignal,
) => Promise<DeepReport>;

export function httpDeepProbe(clock: Clock): DeepProbe {
  return async (target, check, path, signal) => {
    const timeoutMs = Math.max(check.timeoutMs, MIN_TIMEOUT_MS);
    const answer = await ask(clock, target, { path, timeoutMs, read: 'all' }, signal);
    if (answer.kind === 'none') {
      return { passed: false, description: answer.why.description, parts: [] };
    }
    return readDeepReport(matches(answer.status, check), answer, `GET ${path}`);
  };
}

interface DeepCheckOptions {
  clock: Clock;
  probe: DeepProbe;
  /** The report is another than before. */
  onChange(): void;
}

export class DeepCheck {
  /** Null before the first answer, and while it is not asked. */
  report: DeepReport | null = null;
  /** The first failure since it last passed; null where there is none. */
  failingSince: number | null = null;
  readonly #options: DeepCheckOptions;
  /** What is asked, and the end of its loop; null while nothing is. */
  #current: { what: string; loop: AbortController } | null = null;

  constructor(options: DeepCheckOptions) {
    this.#options = options;
  }

  /** Asks as the check says from now on; not at all where it names no path. */
  follow(target: Target, check: HealthCheck): void {
    const { deepPath } = check;
    if (deepPath === null) {
      this.stop();
      return;
    }
    const what = JSON.stringify([target.host, target.port, check]);
    if (what === this.#current?.what) return;
    this.stop();
    const loop = new AbortController();
    this.#current = { what, loop };
    void this.#ask(target, check, deepPath, loop.signal);
  }

  stop(): void {
    this.#current?.loop.abort();
    this.#current = null;
    this.report = null;
    this.failingSince = null;
  }

  async #ask(target: Target, check: HealthCheck, path: string, signal: AbortSignal): Promise<void> {
    const { clock, probe, onChange } = this.#options;
    await clock.sleep(partOf(check.intervalMs), signal);
    while (!signal.aborted) {
      const askedAt = clock.monotonic();
      const report = await probe(target, check, path, signal);
      if (signal.aborted) return;
      const changed = JSON.stringify(report) !== JSON.stringify(this.report);
      this.report = report;
      this.failingSince = report.passed ? null : (this.failingSince ?? clock.now());
      if (changed) onChange();
      const leftMs = jittered(check.intervalMs) - (clock.monotonic() - askedAt);
      await clock.sleep(Math.max(1, leftMs), signal);
    }
  }
}
