import { quantilesBetween } from '../../kernel/histogram.ts';
import type { TargetTraffic } from '../../model/target.ts';
import type { Slot } from '../../runtime/driver.ts';
import type { EdgeTotals } from './edge-sample.ts';
import type { InstanceFigures } from './instance-rings.ts';

const MB = 1024 * 1024;
const SHARES = [0.5, 0.99];
const NOTHING_RECORDED: TargetTraffic['latency'] = [];

/** The edge at the end of the second, and at its beginning; null where it could not be asked. */
export interface EdgeSecond {
  now: EdgeTotals | null;
  earlier: EdgeTotals | null;
  durationMs: number;
}

/**
 * What one instance did in the second that has ended.
 *
 * @param cores what it is allowed
 */
export function instanceFigures(
  id: string,
  slot: Slot | undefined,
  cores: number,
  edge: EdgeSecond,
): InstanceFigures {
  const { cpuPercent = null, rssBytes = 0 } = slot?.usage ?? {};
  return {
    cpuPercent: cpuPercent === null ? Number.NaN : cpuPercent / cores,
    // 0 is what a process has that has not begun.
    memoryMb: rssBytes === 0 ? Number.NaN : rssBytes / MB,
    inFlight: edge.now?.inside(id) ?? Number.NaN,
    ...passedThrough(id, edge),
  };
}

type Passed = Pick<InstanceFigures, 'requests' | 'errors' | 'p50Ms' | 'p99Ms'>;

const UNKNOWN: Passed = {
  requests: Number.NaN,
  errors: Number.NaN,
  p50Ms: Number.NaN,
  p99Ms: Number.NaN,
};
const NOTHING: Passed = { ...UNKNOWN, requests: 0, errors: 0 };

function passedThrough(id: string, { now, earlier, durationMs }: EdgeSecond): Passed {
  const later = now?.traffic(id);
  if (later === undefined || earlier === null) return UNKNOWN;
  const before = earlier.traffic(id);
  const requests = later.requests - (before?.requests ?? 0);
  // Counters begin anew when a worker or the supervisor was ended.
  if (requests < 0) return UNKNOWN;
  if (requests === 0) return NOTHING;
  const errors = failed(later) - (before === undefined ? 0 : failed(before));
  const latency = before?.latency ?? NOTHING_RECORDED;
  const [p50, p99] = quantilesBetween(latency, later.latency, SHARES);
  return {
    requests: (requests * 1_000) / durationMs,
    errors: (Math.max(0, errors) * 1_000) / durationMs,
    p50Ms: toMs(p50),
    p99Ms: toMs(p99),
  };
}

const failed = ({ appErrors, failures }: TargetTraffic): number => appErrors + failures;

const toMs = (us: number | null | undefined): number => (us == null ? Number.NaN : us / 1_000);
