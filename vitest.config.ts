import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Processes, not threads: tests start real programs, and a signal goes to a whole process.
    pool: 'forks',
    maxWorkers: 2,
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default'],
  },
});
