import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Limits } from '../../model/configuration.ts';

/**
 * Limits held by the kernel: control groups under a subtree of our own, `belay/<instance>`, made
 * below the group the daemon is in, version 2 or 1, whichever the machine has and lets us write.
 */

const ROOT = '/sys/fs/cgroup';
const SUBTREE = 'belay';
const CPU_PERIOD_US = 100_000;
/** What the kernel gives to one process that is in no group of ours, by the file of the version. */
const USUAL_WEIGHT = { 'cpu.weight': 100, 'cpu.shares': 1024 } as const;
const MOST_WEIGHT = { 'cpu.weight': 10_000, 'cpu.shares': 262_144 } as const;
type WeightFile = keyof typeof USUAL_WEIGHT;

/** A controller's folder for one instance, and what to write into it. */
interface Group {
  path: string;
  settings: [file: string, value: string][];
  /** Written where the kernel was built with it. */
  optional: [file: string, value: string][];
}

export interface ControlGroups {
  /**
   * Makes the groups that hold the limits.
   *
   * @returns their folders, or null where the kernel cannot hold every one of the limits
   */
  make(instance: string, limits: Limits): string[] | null;
  /** Puts a process in; its children are born inside. */
  enter(groups: readonly string[], pid: number): boolean;
  /** Every process inside. */
  members(groups: readonly string[]): number[];
  /** Whether the kernel has killed inside for want of memory. */
  ranOutOfMemory(groups: readonly string[]): boolean;
  /** @returns false while the kernel still counts a process inside */
  remove(groups: readonly string[]): boolean;
}

export function controlGroups(): ControlGroups {
  return {
    make(instance, limits) {
      const groups = planGroups(instance, limits);
      if (groups === null) return null;
      const made: string[] = [];
      try {
        for (const { path, settings, optional } of groups) {
          mkdirSync(path, { recursive: true });
          made.push(path);
          const present = optional.filter(([file]) => exists(join(path, file)));
          for (const [file, value] of [...settings, ...present]) {
            writeFileSync(join(path, file), value);
          }
          weighSubtree(dirname(path));
        }
        return made;
      } catch {
        removeGroups(made);
        return null;
      }
    },
    enter(groups, pid) {
      try {
        for (const group of groups) writeFileSync(join(group, 'cgroup.procs'), String(pid));
        return true;
      } catch {
        return false;
      }
    },
    members: (groups) =>
      groups.flatMap((group) =>
        readText(join(group, 'cgroup.procs')).split('\n').filter(Boolean).map(Number),
      ),
    ranOutOfMemory: (groups) =>
      groups.some((group) =>
        ['memory.events', 'memory.oom_control'].some((file) =>
          /^oom_kill [1-9]/m.test(readText(join(group, file))),
        ),
      ),
    remove: removeGroups,
  };
}

function planGroups(instance: string, limits: Limits): Group[] | null {
  return exists(join(ROOT, 'cgroup.controllers'))
    ? planUnified(instance, limits)
    : planLegacy(instance, limits);
}

/** Version 2: one tree. Controllers reach a group only when its parent hands them down. */
function planUnified(instance: string, limits: Limits): Group[] | null {
  const wanted = [limits.memoryBytes !== null && 'memory', limits.cpu !== null && 'cpu'].filter(
    (controller) => controller !== false,
  );
  const handDown = wanted.map((controller) => `+${controller}`).join(' ');
  const settings: Group['settings'] = [];
  if (limits.memoryBytes !== null) settings.push(['memory.max', String(limits.memoryBytes)]);
  if (limits.cpu !== null) {
    settings.push(['cpu.max', `${quotaUs(limits.cpu)} ${CPU_PERIOD_US}`]);
    settings.push(weightOf('cpu.weight', limits.cpu));
  }
  for (let base = join(ROOT, ownGroup('')); base.startsWith(ROOT); base = dirname(base)) {
    const subtree = join(base, SUBTREE);
    try {
      const given = readText(join(base, 'cgroup.subtree_control')).split(/\s+/);
      if (!wanted.every((controller) => given.includes(controller))) {
        writeFileSync(join(base, 'cgroup.subtree_control'), handDown);
      }
      mkdirSync(subtree, { recursive: true });
      writeFileSync(join(subtree, 'cgroup.subtree_control'), handDown);
      const optional: Group['optional'] =
        limits.memoryBytes === null ? [] : [['memory.swap.max', '0']];
      return [{ path: join(subtree, instance), settings, optional }];
    } catch {
      // A group with processes in it cannot hand controllers down, and most are not ours to write:
      // the next one up may do.
      removeFolder(subtree);
    }
  }
  return null;
}

/** Version 1: a tree for each controller. */
function planLegacy(instance: string, limits: Limits): Group[] | null {
  const groups: Group[] = [];
  const place = (controller: string): string => {
    const own = join(ROOT, controller, ownGroup(controller));
    return join(exists(own) ? own : join(ROOT, controller), SUBTREE, instance);
  };
  if (limits.memoryBytes !== null) {
    if (!exists(join(ROOT, 'memory'))) return null;
    const settings: Group['settings'] = [['memory.limit_in_bytes', String(limits.memoryBytes)]];
    const withSwap: Group['optional'] = [
      ['memory.memsw.limit_in_bytes', String(limits.memoryBytes)],
    ];
    groups.push({ path: place('memory'), settings, optional: withSwap });
  }
  if (limits.cpu !== null) {
    if (!exists(join(ROOT, 'cpu'))) return null;
    const settings: Group['settings'] = [
      ['cpu.cfs_period_us', String(CPU_PERIOD_US)],
      ['cpu.cfs_quota_us', String(quotaUs(limits.cpu))],
      weightOf('cpu.shares', limits.cpu),
    ];
    groups.push({ path: place('cpu'), settings, optional: [] });
  }
  return groups;
}

/** A limit takes nothing away while there is enough: an instance weighs as a process without one. */
function weightOf(file: WeightFile, cores: number): [file: string, value: string] {
  const weight = Math.round(USUAL_WEIGHT[file] * Math.max(1, cores));
  return [file, String(Math.min(MOST_WEIGHT[file], weight))];
}

/** All instances together weigh what each of them does, and not what one process does. */
function weighSubtree(subtree: string): void {
  for (const file of Object.keys(USUAL_WEIGHT) as WeightFile[]) {
    if (!exists(join(subtree, file))) continue;
    const weights = readFolders(subtree).map((name) => readText(join(subtree, name, file)));
    const sum = weights.reduce((total, weight) => total + Number(weight), 0);
    if (sum > 0) tryToWrite(join(subtree, file), String(Math.min(MOST_WEIGHT[file], sum)));
  }
}

const quotaUs = (cores: number): number => Math.max(1_000, Math.round(cores * CPU_PERIOD_US));

/** The group this process is in, from /proc/self/cgroup; the unified one has no controller name. */
function ownGroup(controller: string): string {
  for (const line of readText('/proc/self/cgroup').split('\n')) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (line !== '' && controllers.split(',').includes(controller)) return path;
  }
  return '/';
}

function removeGroups(groups: readonly string[]): boolean {
  for (const group of groups) {
    removeFolder(group);
    // The subtree goes with its last instance.
    removeFolder(dirname(group));
    weighSubtree(dirname(group));
  }
  return !groups.some(exists);
}

function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Not empty, or gone already.
  }
}

function readFolders(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** What the kernel will not have stays as it was. */
function tryToWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // Another's to write.
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
