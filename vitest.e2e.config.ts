import { defineConfig } from 'vitest/config';

/** The tests on a real node: `make e2e`. One file, in the order in which an installation lives. */
export default defineConfig({
  test: {
    name: 'e2e',
    include: ['test/e2e/e2e.test.ts'],
    globalSetup: ['test/e2e/global-setup.ts'],
    pool: 'forks',
    // Each test builds on those before it.
    bail: 1,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
