/** Owns how the tests are run, on both socket layers. No retries: a test that passes the second time has found something. */
import { defineConfig } from 'vitest/config';

const testsIn = (...folders: string[]): string[] => folders.map((folder) => `test/${folder}/**/*.test.ts`);

const OVER_SOCKETS = testsIn('conformance', 'e2e', 'examples', 'fault', 'promises', 'server', 'soak');

// They put something in place of a module before anybody loads it.
const MOCKING = ['test/unit/authentication/users.test.ts'];

const ABOVE_THE_WIRES = [
  ...testsIn('examples', 'server/authentication', 'server/control', 'server/redirect'),
  'test/e2e/{balance-process,cli*,client-in-browser,npm-start,register,tls-command-line}.test.ts',
  'test/fault/balancer-chaos.test.ts',
  'test/server/balancer/!(failover|pairs).test.ts',
  'test/server/{affinity,group}*.test.ts',
];

export default defineConfig({
  // Examples import `tidegate` by its name, as a user does; here that is src, as tsconfig.json says.
  resolve: { tsconfigPaths: true },
  test: {
    projects: [
      {
        // What is pure, or small: a process serves many files, which would else load everything again for each.
        extends: true,
        test: {
          name: 'units',
          include: ['test/*.test.ts', ...testsIn('docs', 'model', 'mutation', 'property', 'unit')],
          exclude: MOCKING,
          isolate: false,
          env: { TIDEGATE_IO: 'fast' },
        },
      },
      {
        extends: true,
        test: {
          name: 'fast',
          include: [...OVER_SOCKETS, ...testsIn('fuzz'), ...MOCKING],
          env: { TIDEGATE_IO: 'fast' },
        },
      },
      {
        // What goes over sockets once more, but for what is above them: it meets the same wires.
        extends: true,
        test: { name: 'portable', include: OVER_SOCKETS, exclude: ABOVE_THE_WIRES, env: { TIDEGATE_IO: 'portable' } },
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
