import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { MapSize } from './map-size.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

function heapBytes(): number {
  gc();
  return process.memoryUsage().heapUsed;
}

/** Fills a Map, takes from it and adds to it; the keys are numbers that take nothing themselves. */
function churned(live: number, turnovers: number) {
  const emptyBytes = heapBytes();
  const map = new Map<number, number>();
  const size = new MapSize();
  for (let i = 0; i < live * turnovers; i += 1) {
    map.set(i, i);
    size.added();
    if (i < live) continue;
    map.delete(i - live);
    size.removed();
  }
  const takenBytes = heapBytes() - emptyBytes;
  expect(map.size).toBe(live);
  return { map, size, takenBytes, emptyBytes };
}

test.each([
  [100_000, 1],
  [100_000, 3.3],
  [150_000, 2.2],
])('tells what a Map of %d takes after %d turnovers', (live, turnovers) => {
  const { size, takenBytes } = churned(live, turnovers);
  expect(Math.abs(takenBytes / size.sizeBytes - 1)).toBeLessThan(0.05);
});

test('tells what is left when most is taken out', () => {
  const { map, size, emptyBytes } = churned(200_000, 1);
  for (const key of [...map.keys()].slice(20_000)) {
    map.delete(key);
    size.removed();
  }
  const takenBytes = heapBytes() - emptyBytes;
  expect(map.size).toBe(20_000);
  expect(Math.abs(takenBytes - size.sizeBytes)).toBeLessThan(0.05 * 200_000 * 28);
});
