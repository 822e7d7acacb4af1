import { defineConfig } from 'vitest/config';

/** As the operator's image runs: no code from strings, no `__proto__`, no inspector at SIGUSR1. */
const execArgv = ['--disallow-code-generation-from-strings', '--disable-proto=delete', '--disable-sigusr1'];

export default defineConfig({
  test: {
    execArgv,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/e2e/e2e.test.ts'],
          sequence: { groupOrder: 0 },
          // A slow machine is no failure.
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/global-setup.ts'],
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
