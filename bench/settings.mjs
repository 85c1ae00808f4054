/** Owns what can be asked of the benchmark, and how much of everything a full and a quick run do. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const PARTS = [
  // First: it takes nearly all the files that the generator may open.
  'idle',
  'matrix',
  'scale',
  'tcp',
  'flood',
  'latency',
  'slow-reader',
  'tls',
  'options',
  // Last: the kernel keeps each port of a connection that ended for a minute, and these are many.
  'connects',
];

export const USAGE = `Usage: npm run bench -- [options]
  --quick               fewer payloads and rounds, and shorter ones: under three minutes
  --part <names>        of ${PARTS.join(',')}
  --only <names>        kinds of Tidegate, such as frames,stream; default all of them
  --peers <names>       such as nginx,haproxy, or none; default all that are installed
  --payload <sizes>     of the part matrix, in bytes, such as 16,1024
  --window <counts>     of the part matrix: messages on their way for each connection, such as 1,16
  --rounds <n>          how often everything is measured; medians are shown
  --ms <n>              how long one measurement sends
  --io <portable|fast>  how Tidegate does its I/O; default both, side by side
  --against <folder>    a dist folder of another build, measured in the same run: its rows have an asterisk
  --profile             writes a CPU profile of each Tidegate, and prints where its own time went
  --json                prints JSON instead of tables
  --write               writes bench/results and docs/performance.md; a run of everything does so anyway
  --no-write            never writes them`;

const FULL = {
  rounds: 5,
  ms: 400,
  sizes: [16, 125, 1024, 16_384, 262_144],
  windows: [1, 16],
  scaleConnections: [1, 1000],
  scaleSizes: [125, 16_384],
  floodSizes: [125, 1024, 16_384, 262_144],
  tcpSizes: [16, 125, 1024, 16_384, 262_144],
  tlsSizes: [125, 16_384],
  sideRounds: 5,
  latencyMs: 3000,
  idleConnections: 10_000,
  offered: 400_000_000,
  quietMs: 1000,
};

/** What most goals need. Messages of 256 KiB are left out: hundreds of megabytes are on their way with them. */
const QUICK = {
  rounds: 2,
  ms: 80,
  sizes: [125, 1024, 16_384],
  windows: [1, 16],
  scaleConnections: [1, 1000],
  scaleSizes: [125],
  floodSizes: [16_384],
  tcpSizes: [125, 16_384],
  tlsSizes: [125],
  sideRounds: 1,
  latencyMs: 300,
  idleConnections: 1000,
  offered: 100_000_000,
  quietMs: 200,
};

/** @param {string[]} args */
export function readSettings(args) {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      write: { type: 'boolean' },
      only: { type: 'string' },
      peers: { type: 'string' },
      part: { type: 'string' },
      payload: { type: 'string' },
      window: { type: 'string' },
      rounds: { type: 'string' },
      ms: { type: 'string' },
      io: { type: 'string' },
      against: { type: 'string' },
    },
  });
  const scale = values.quick ? QUICK : FULL;
  const parts = names(values.part) ?? PARTS;
  const wrong = parts.find((part) => !PARTS.includes(part));
  if (wrong !== undefined) throw new Error(`--part: there is no "${wrong}"; there are ${PARTS.join(', ')}`);
  if (values.io !== undefined && !['portable', 'fast'].includes(values.io)) {
    throw new Error(`--io: expected portable or fast, got "${values.io}"`);
  }
  const narrowed = ['part', 'only', 'peers', 'payload', 'window', 'io', 'against'].some(
    (name) => values[name] !== undefined,
  );
  return {
    ...scale,
    ...values,
    parts,
    only: names(values.only),
    peers: values.peers === 'none' ? [] : names(values.peers),
    sizes: numbers(values.payload, 'payload') ?? scale.sizes,
    windows: numbers(values.window, 'window') ?? scale.windows,
    rounds: numbers(values.rounds, 'rounds')?.[0] ?? scale.rounds,
    /** Of the parts that no goal on throughput is about. */
    sideRounds: numbers(values.rounds, 'rounds')?.[0] ?? scale.sideRounds,
    ms: numbers(values.ms, 'ms')?.[0] ?? scale.ms,
    against: values.against === undefined ? undefined : resolve(values.against),
    // What is checked in is a whole run; a profile slows down what it watches.
    write: values.write ?? (!values.quick && !narrowed && !values.profile),
  };
}

function names(text) {
  return text?.split(',').map((name) => name.trim());
}

function numbers(text, option) {
  const found = names(text)?.map(Number);
  if (found?.some((number) => !Number.isSafeInteger(number) || number < 1)) {
    throw new Error(`--${option}: expected whole numbers above 0, got "${text}"`);
  }
  return found;
}
