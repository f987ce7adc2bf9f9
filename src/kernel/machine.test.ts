import { availableParallelism, totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readMachine } from './machine.ts';

const machineWith = (files: Record<string, string>) => readMachine((path) => files[path] ?? null);

describe('the machine', () => {
  it('has its cores and its memory where nothing bounds this process', () => {
    const { cores, memoryBytes } = machineWith({});
    expect(cores).toBe(availableParallelism());
    expect(memoryBytes).toBeGreaterThan(0);
    expect(memoryBytes).toBeLessThanOrEqual(totalmem());
  });

  it('has as many cores as the tightest control group above this process allows', () => {
    const { cores } = machineWith({
      '/proc/self/cgroup': '0::/belay/daemon\n',
      '/sys/fs/cgroup/belay/daemon/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/belay/cpu.max': '50000 100000\n',
    });
    expect(cores).toBe(0.5);
  });

  it('reads control groups of version 1', () => {
    const { cores } = machineWith({
      '/proc/self/cgroup': '3:cpuset:/\n2:cpu,cpuacct:/belay\n0::/\n',
      '/sys/fs/cgroup/cpu/belay/cpu.cfs_quota_us': '25000\n',
      '/sys/fs/cgroup/cpu/belay/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    });
    expect(cores).toBe(0.25);
  });

  it('is not misled by what it cannot read', () => {
    const { cores } = machineWith({
      '/proc/self/cgroup': '1:cpu:/gone\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': 'a lot',
    });
    expect(cores).toBe(availableParallelism());
  });
});
