import { sizeText } from '../kernel/size-text.ts';

/** Numbers as people read them. Always with their unit, never in a locale's own way. */

const UNKNOWN = '–';

export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `1 file`, `2 files`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export const formatBytes = (bytes: number | null): string =>
  bytes === null ? UNKNOWN : sizeText(bytes);

export function formatPercent(percent: number | null): string {
  return percent === null
    ? UNKNOWN
    : `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** A latency: three figures are plenty. */
export function formatMs(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 100 ? Math.round(ms) : Number(ms.toPrecision(3))} ms`;
}

export function formatRate(perSecond: number): string {
  return perSecond >= 100
    ? formatCount(Math.round(perSecond))
    : String(Number(perSecond.toFixed(1)));
}

/** A span: `0.4 s`, `12 s`, `3 m 20 s`, `5 h 12 m`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** A moment before now: `just now`, `3 m ago`. */
export function formatAgo(at: number, now: number): string {
  const seconds = Math.floor((now - at) / 1000);
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `2026-01-31 12:00:05Z`: sortable, the same on every machine. */
export function formatTime(at: number): string {
  return new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}
