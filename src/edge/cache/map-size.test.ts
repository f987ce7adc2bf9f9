import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { MapSize } from './map-size.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

function heapBytes(): number {
  // What others have left goes with the first, so that it is in neither figure.
  for (let i = 0; i < 2; i += 1) gc();
  return process.memoryUsage().heapUsed;
}

/** Empties it; its keys are numbers that take nothing themselves. */
function takenBytes(map: Map<number, number>): number {
  const fullBytes = heapBytes();
  map.clear();
  return fullBytes - heapBytes();
}

/** Fills a Map, and goes on adding to it while it takes from it. */
function churned(live: number, turnovers: number) {
  const map = new Map<number, number>();
  const size = new MapSize();
  for (let i = 0; i < live * turnovers; i += 1) {
    map.set(i, i);
    size.added();
    if (i < live) continue;
    map.delete(i - live);
    size.removed();
  }
  expect(map.size).toBe(live);
  return { map, size };
}

test.each([
  [100_000, 1],
  [100_000, 3.3],
  [150_000, 2.2],
])('tells what a Map of %d takes after %d turnovers', (live, turnovers) => {
  const { map, size } = churned(live, turnovers);
  expect(Math.abs(takenBytes(map) / size.sizeBytes - 1)).toBeLessThan(0.05);
});

test('tells what is left when most is taken out', () => {
  const { map, size } = churned(200_000, 1);
  for (const key of [...map.keys()].slice(40_000)) {
    map.delete(key);
    size.removed();
  }
  expect(map.size).toBe(40_000);
  expect(Math.abs(takenBytes(map) / size.sizeBytes - 1)).toBeLessThan(0.05);
});
