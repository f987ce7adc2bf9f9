import type { Instance } from '../../model/instance.ts';
import { limitsOf } from '../../model/release.ts';
import type { Slots } from '../observe.ts';
import type { Records } from '../records.ts';
import type { GroupSecond } from './group-second.ts';

type Usage = Pick<GroupSecond, 'instances' | 'cpuPercent' | 'memoryBytes'>;

/** An instance that is measured stands for one that is not, if so large a share of all is. */
const MEASURED_SHARE = 0.5;

/**
 * What the instances in service use together.
 *
 * One that is warming up uses CPU for its own sake: it counts with no more than the others use on
 * average. One that was not measured yet counts as the others. With nothing in service there is
 * nothing to measure: an environment whose instances are all dead is not one without load.
 */
export function groupUsage(
  instances: readonly Instance[],
  slots: Slots,
  records: Records,
  now: number,
): Usage {
  const serving = instances.filter(({ state }) => state === 'in-service');
  const warm = { count: 0, measured: 0, cpuPercent: 0 };
  const warming: number[] = [];
  let memoryBytes = 0;
  let withMemory = 0;
  for (const instance of serving) {
    const usage = slots.get(instance.id)?.usage ?? null;
    const cpuPercent =
      usage === null || usage.cpuPercent === null
        ? null
        : usage.cpuPercent / coresOf(instance, records);
    if (usage !== null && usage.rssBytes > 0) {
      memoryBytes += usage.rssBytes;
      withMemory += 1;
    }
    const isWarm =
      instance.inServiceAt !== null && now - instance.inServiceAt >= warmupOf(instance, records);
    if (isWarm) warm.count += 1;
    if (cpuPercent === null) continue;
    if (isWarm) {
      warm.measured += 1;
      warm.cpuPercent += cpuPercent;
    } else warming.push(cpuPercent);
  }
  const most = warm.measured === 0 ? Number.POSITIVE_INFINITY : warm.cpuPercent / warm.measured;
  const cpuPercent = warming.reduce((sum, each) => sum + Math.min(each, most), warm.cpuPercent);
  return {
    instances: warm.count,
    cpuPercent: extended(cpuPercent, warm.measured + warming.length, serving.length),
    memoryBytes: extended(memoryBytes, withMemory, serving.length),
  };
}

/** The sum over `count`, from that over those that were measured. */
function extended(sum: number, measured: number, count: number): number | null {
  if (measured === 0 || measured < count * MEASURED_SHARE) return null;
  return (sum * count) / measured;
}

/** What it is allowed: of its `cpu`, else one core. */
export function coresOf({ environment, release }: Instance, records: Records): number {
  const allowed = records.release(environment, release);
  return (allowed && limitsOf(allowed).cpu) ?? 1;
}

function warmupOf({ environment, release }: Instance, records: Records): number {
  return records.release(environment, release)?.configuration.web.scaling.warmupMs ?? 0;
}
