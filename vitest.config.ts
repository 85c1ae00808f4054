/** Owns how the tests are run. No retries: a test that passes the second time has found something. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Examples import `tidegate` by its name, as a user does; here that is src, as tsconfig.json says.
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
