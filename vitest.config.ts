import { defineConfig } from 'vitest/config';

/** Where to write the results for a program to read, besides telling them. */
const report = process.env.BELAY_TEST_REPORT;

/** They keep a rate and count what is lost at it: with nothing beside them. */
const underLoad = [
  'edge-changes',
  'hung-instance',
  'no-loss',
  'policies',
  'scaling',
  'slow-clients',
].map((name) => `test/e2e/${name}.test.ts`);

/** They measure the heap: each in a process of its own. */
const ofTheHeap = ['src/edge/cache/map-size.test.ts', 'test/cache-memory.test.ts'];

/** Whole programs take their time to come up. */
const patience = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    // Processes, not threads: tests start real programs, and a signal goes to a whole process.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ['src/**/*.test.ts', 'test/*.test.ts', 'test/{contract,golden}/**/*.test.ts'],
          exclude: ofTheHeap,
          maxWorkers: 3,
          // They leave nothing behind, so that one process can do many; most of their time is waiting.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'heap',
          include: ofTheHeap,
          maxWorkers: 1,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: underLoad,
          maxWorkers: 3,
          ...patience,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e under load',
          include: underLoad,
          maxWorkers: 1,
          ...patience,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
