import type { Limits } from '../../model/configuration.ts';

/**
 * Decides, sample by sample, whether an instance has to be stopped: for flooding its log, or for
 * memory where the kernel does not hold the limit.
 */
export interface Sample {
  atMs: number;
  logBytes: number;
  rssBytes: number;
}

export interface SupervisionRules {
  floodBytesPerSecond: number;
  /** So many samples in a row condemn. */
  strikes: number;
  /** Null where the kernel holds the limit, or there is none. */
  memoryBytes: Limits['memoryBytes'];
}

export interface Supervision {
  /** The cause for which the instance has to be stopped, or null. */
  judge(sample: Sample): string | null;
}

export function supervision(rules: SupervisionRules): Supervision {
  let last: Sample | null = null;
  let floods = 0;
  let overMemory = 0;
  return {
    judge(sample) {
      if (last !== null) {
        const seconds = Math.max(sample.atMs - last.atMs, 1) / 1000;
        const rate = (sample.logBytes - last.logBytes) / seconds;
        floods = rate > rules.floodBytesPerSecond ? floods + 1 : 0;
      }
      last = sample;
      const over = rules.memoryBytes !== null && sample.rssBytes > rules.memoryBytes;
      overMemory = over ? overMemory + 1 : 0;
      if (floods >= rules.strikes) {
        return `wrote more than ${megabytes(rules.floodBytesPerSecond)} of log a second`;
      }
      if (overMemory >= rules.strikes) {
        return `used more memory than its limit of ${megabytes(rules.memoryBytes ?? 0)}`;
      }
      return null;
    },
  };
}

const MEGABYTE = 1024 * 1024;

export function megabytes(bytes: number): string {
  return `${Math.round((bytes / MEGABYTE) * 10) / 10} MB`;
}
