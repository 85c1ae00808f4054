/** Owns how the tests are run, on both socket layers. No retries: a test that passes the second time has found something. */
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

const testsIn = (...folders: string[]): string[] => folders.map((folder) => `test/${folder}/**/*.test.ts`);

// Servers and clients in the process of the test.
const IN_PROCESS = testsIn('conformance', 'fault', 'promises', 'server');

// Whole programs, browsers and memory: each file has a process of its own.
const PROGRAMS = testsIn('e2e', 'examples', 'soak');

// They put something in place of a module before anybody loads it.
const MOCKING = ['test/server/secrets.test.ts', 'test/unit/authentication/users.test.ts'];

// They reckon with what the process is busy with: one simulates for seconds, the other begins to observe the process.
const BUSY = ['test/docs/metrics.test.ts', 'test/model/pool-simulation.test.ts'];

const ABOVE_THE_WIRES = [
  ...testsIn(
    'examples',
    'server/admin',
    'server/authentication',
    'server/control',
    'server/explain',
    'server/inspection',
    'server/redirect',
    'server/telemetry',
  ),
  'test/e2e/{admin-process,balance-process,cli*,client-in-browser,dashboard*,npm-start,register,tls-command-line,top-process,what-is-shown}.test.ts',
  'test/fault/balancer-chaos.test.ts',
  'test/server/balancer/!(failover|pairs).test.ts',
  'test/server/{affinity,dashboard,group}*.test.ts',
  'test/server/recording/!(recording).test.ts',
];

/** Tests on one of the socket layers; where they are not isolated, a process serves many files, which would else load everything again. */
function overSockets(
  layer: 'fast' | 'portable',
  { isolate = true, ...files }: { include: string[]; exclude?: string[]; isolate?: boolean },
): TestProjectConfiguration {
  const name = isolate ? `${layer}, alone` : layer;
  return { extends: true, test: { name, isolate, ...files, env: { TIDEGATE_IO: layer } } };
}

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
          exclude: [...MOCKING, ...BUSY],
          isolate: false,
          env: { TIDEGATE_IO: 'fast' },
        },
      },
      overSockets('fast', { include: IN_PROCESS, exclude: MOCKING, isolate: false }),
      overSockets('fast', { include: [...PROGRAMS, ...testsIn('fuzz'), ...MOCKING, ...BUSY] }),
      // What goes over sockets once more, but for what is above them: it meets the same wires.
      overSockets('portable', { include: IN_PROCESS, exclude: [...ABOVE_THE_WIRES, ...MOCKING], isolate: false }),
      overSockets('portable', { include: PROGRAMS, exclude: ABOVE_THE_WIRES }),
    ],
    pool: 'forks',
    // Most tests wait for sockets and clocks: two cores have room for three of them.
    maxWorkers: 3,
    retry: 0,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
