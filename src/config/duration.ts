import { Fault } from '../kernel/fault.ts';

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS_MS;

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** The longest time a configuration may name: the model's bound. */
const MAX_DURATION_MS = 7 * UNITS_MS.d;

/**
 * `'5s'` → 5000.
 *
 * @throws `bad-duration`
 */
export function parseDuration(value: unknown, minMs = 0, maxMs = MAX_DURATION_MS): number {
  if (typeof value === 'number') {
    throw badDuration(
      `is the bare number ${value}, which has no unit`,
      `write '${value}s' for seconds or '${value}ms' for milliseconds`,
    );
  }
  const match = typeof value === 'string' ? DURATION.exec(value) : null;
  if (!match) {
    const shown = typeof value === 'string' ? `'${value}'` : String(value);
    throw badDuration(`is ${shown}, which is not a duration`, UNITS_HINT);
  }
  const durationMs = Math.round(Number(match[1]) * UNITS_MS[match[2] as Unit]);
  if (durationMs < minMs) {
    const least = formatDuration(minMs);
    throw badDuration(`is ${value}, less than the least allowed, ${least}`, `write '${least}'`);
  }
  if (durationMs > maxMs) {
    const most = formatDuration(maxMs);
    throw badDuration(`is ${value}, more than the most allowed, ${most}`, `write '${most}'`);
  }
  return durationMs;
}

const UNITS_HINT =
  "write a number and one of the units ms, s, m, h, d, as in '300ms', '5s' or '2m'";

/** In the largest unit that leaves a whole number: 120000 → `2m`. */
export function formatDuration(durationMs: number): string {
  const units = (Object.keys(UNITS_MS) as Unit[]).reverse();
  const unit = units.find((name) => durationMs > 0 && durationMs % UNITS_MS[name] === 0) ?? 'ms';
  return `${durationMs / UNITS_MS[unit]}${unit}`;
}

function badDuration(message: string, hint: string): Fault {
  return new Fault({ code: 'bad-duration', message, hint });
}
