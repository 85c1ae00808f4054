/** Owns how the tests are run, on both socket layers. No retries: a test that passes the second time has found something. */
import { join } from 'node:path';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

const testsIn = (...folders: string[]): string[] => folders.map((folder) => `test/${folder}/**/*.test.ts`);

// Servers and clients in the process of the test.
const IN_PROCESS = testsIn('conformance', 'fault', 'promises', 'server');

// Whole programs and browsers.
const PROGRAMS = testsIn('e2e', 'examples');

// They look at memory, or start several programs each, and do not come to an end in time beside browsers: each has a process of its own.
const ALONE = [...testsIn('soak'), 'test/e2e/{cli-inspect,cluster}.test.ts'];

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
  // That a soak finds what is wrong is the same on both.
  'test/soak/soak-fails.test.ts',
];

interface Files {
  /** Default: that of the layer. */
  name?: string;
  include: string[];
  exclude?: string[];
  /** Whether each file has a process of its own. One that serves many spares them to load everything again. */
  isolate?: boolean;
}

/** Tests of src. */
function ofSource({ isolate = false, ...files }: Files & { name: string }): TestProjectConfiguration {
  return { extends: true, test: { isolate, ...files, env: { TIDEGATE_IO: 'fast' } } };
}

/**
 * Tests of what was built, on one of the socket layers: it need not be compiled for each process once more. `npm test` builds first, and so
 * has to whoever runs vitest by hand (`npm run build`).
 */
function ofBuilt(
  layer: 'fast' | 'portable',
  { name = layer, isolate = false, ...files }: Files,
): TestProjectConfiguration {
  const dist = join(import.meta.dirname, 'dist');
  return {
    extends: true,
    resolve: {
      tsconfigPaths: false,
      alias: [
        { find: /^(?:\.\.\/)+src\/(.*\.js)$/, replacement: `${dist}/$1` },
        { find: /^tidegate$/, replacement: join(dist, 'index.js') },
      ],
    },
    test: {
      name,
      isolate,
      ...files,
      env: { TIDEGATE_IO: layer },
      server: { deps: { external: [new RegExp(`^${dist}/`)] } },
    },
  };
}

export default defineConfig({
  // What imports `tidegate` by its name, as a user does, gets src where src is tested, as tsconfig.json says.
  resolve: { tsconfigPaths: true },
  test: {
    projects: [
      // What is pure, or small.
      ofSource({
        name: 'units',
        include: ['test/*.test.ts', ...testsIn('docs', 'model', 'mutation', 'property', 'unit')],
        exclude: [...MOCKING, ...BUSY],
      }),
      ofBuilt('fast', { include: [...IN_PROCESS, ...PROGRAMS], exclude: [...MOCKING, ...ALONE] }),
      // What goes over sockets once more, but for what is above them: it meets the same wires.
      ofBuilt('portable', {
        include: [...IN_PROCESS, ...PROGRAMS],
        exclude: [...ABOVE_THE_WIRES, ...MOCKING, ...ALONE],
      }),
      ofBuilt('fast', { name: 'fast, alone', isolate: true, include: ALONE }),
      ofBuilt('portable', { name: 'portable, alone', isolate: true, include: ALONE, exclude: ABOVE_THE_WIRES }),
      ofSource({ name: 'alone', isolate: true, include: [...testsIn('fuzz'), ...MOCKING, ...BUSY] }),
    ],
    pool: 'forks',
    // Most tests wait for sockets and clocks: two cores have room for three of them. With four, a busy machine lets some run out of time.
    maxWorkers: 3,
    retry: 0,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
