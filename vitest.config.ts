/** Owns how the tests are run, on both socket layers. No retries: a test that passes the second time has found something. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Examples import `tidegate` by its name, as a user does; here that is src, as tsconfig.json says.
  resolve: { tsconfigPaths: true },
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'fast', include: ['test/**/*.test.ts'], env: { TIDEGATE_IO: 'fast' } },
      },
      {
        // Everything that goes over sockets once more; what is pure is the same on both layers.
        extends: true,
        test: {
          name: 'portable',
          include: ['conformance', 'e2e', 'examples', 'fault', 'promises', 'server', 'soak'].map(
            (folder) => `test/${folder}/**/*.test.ts`,
          ),
          // What is asked of an admin API or of DNS does not go over the wires of either layer.
          exclude: ['admin-api', 'admin-guard', 'discovery'].map((name) => `test/server/balancer/${name}.test.ts`),
          env: { TIDEGATE_IO: 'portable' },
        },
      },
    ],
    pool: 'forks',
    // Most tests wait for sockets and clocks: two cores have room for three of them.
    maxWorkers: 3,
    retry: 0,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
