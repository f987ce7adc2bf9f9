import type { Limits } from './configuration.ts';

/** What an instance may use, by a name: each twice the one before it. */

const MB = 1024 * 1024;

export const sizes = {
  nano: { cpu: 0.125, memoryBytes: 128 * MB },
  micro: { cpu: 0.25, memoryBytes: 256 * MB },
  small: { cpu: 0.5, memoryBytes: 512 * MB },
  medium: { cpu: 1, memoryBytes: 1024 * MB },
  large: { cpu: 2, memoryBytes: 2048 * MB },
  xlarge: { cpu: 4, memoryBytes: 4096 * MB },
} as const satisfies Record<string, Limits>;

export type SizeName = keyof typeof sizes;
export const sizeNames = Object.keys(sizes) as [SizeName, ...SizeName[]];
