import { expect, test } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatMs,
  formatPlural,
  formatRate,
} from './quantity.ts';

test.each([
  [formatCount(0), '0'],
  [formatCount(1_234_567), '1,234,567'],
  [formatPlural(1, 'file'), '1 file'],
  [formatPlural(2, 'file'), '2 files'],
  [formatBytes(null), '–'],
  [formatBytes(999), '999 B'],
  [formatBytes(46_080_000), '46.1 MB'],
  [formatBytes(3_200_000_000), '3.2 GB'],
  [formatMs(null), '–'],
  [formatMs(1.239), '1.24 ms'],
  [formatMs(1234.5), '1235 ms'],
  [formatMs(12_345), '12.3 s'],
  [formatRate(0.25), '0.3'],
  [formatRate(12_345.6), '12,346'],
  [formatDuration(-5), '0.0 s'],
  [formatDuration(9_960), '10 s'],
  [formatDuration(59_700), '1 m 0 s'],
  [formatDuration(3_725_000), '1 h 2 m'],
  [formatDuration(90_000_000), '1 d 1 h'],
  [formatAgo(10_000, 12_000), 'just now'],
  [formatAgo(0, 7_300_000), '2 h ago'],
])('a person reads %s', (shown, expected) => {
  expect(shown).toBe(expected);
});
