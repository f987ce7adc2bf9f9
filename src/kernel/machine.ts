import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** What this process may use of its machine: all of it, or what its control groups allow. */
export interface Machine {
  /** May be half a one. */
  cores: number;
  memoryBytes: number;
}

const ROOT = '/sys/fs/cgroup';

export function readMachine(read: (path: string) => string | null = readText): Machine {
  const quotas = cpuQuotas(read('/proc/self/cgroup') ?? '', read);
  // Where nothing bounds it, the kernel names a number beyond any memory.
  const constrained = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return {
    cores: Math.min(availableParallelism(), ...quotas),
    memoryBytes: Math.min(totalmem(), constrained),
  };
}

/** In cores, of the group this process is in and of all above it: of version 2, or of version 1. */
function cpuQuotas(membership: string, read: (path: string) => string | null): number[] {
  const unified = /^0::(\/.*)$/m.exec(membership)?.[1];
  const v1 = /^\d+:(?:[^:\n]*,)?cpu(?:,[^:\n]*)?:(\/.*)$/m.exec(membership)?.[1];
  if (v1 !== undefined) {
    return groupsFrom(v1).flatMap((group) => {
      const quota = read(join(ROOT, 'cpu', group, 'cpu.cfs_quota_us'));
      const period = read(join(ROOT, 'cpu', group, 'cpu.cfs_period_us'));
      return quotaOf(`${quota?.trim()} ${period?.trim()}`);
    });
  }
  if (unified === undefined) return [];
  return groupsFrom(unified).flatMap((group) => quotaOf(read(join(ROOT, group, 'cpu.max')) ?? ''));
}

/** `/a/b` → `/a/b`, `/a`, `/`. */
function groupsFrom(group: string): string[] {
  return group === '/' ? ['/'] : [group, ...groupsFrom(dirname(group))];
}

/** `50000 100000` → half a core; `max 100000` and `-1 100000` → as many as there are. */
function quotaOf(text: string): number[] {
  const [, quota, period] = /^(\d+) (\d+)/.exec(text) ?? [];
  return quota === undefined || Number(quota) === 0 ? [] : [Number(quota) / Number(period)];
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
