/** Owns the parts of the benchmark: which proxies meet which load, and what one sample says. */
import { median } from './statistics.mjs';

const CONNECTIONS = 100;
const SLOTS = 50;
const SLOW_READERS = 4;
const SLOW_MESSAGE = 65_536;
const SLOW_DEADLINE_MS = 20_000;
/** A process for each connection: more of them would measure the memory of the machine. */
const FORKS = 100;
/** Files that a process needs for other things than connections. */
const SPARE_FILES = 500;

const isOption = ({ name }) => /^frames-(on|off)/.test(name);

/**
 * What each part measures. A sample has `value` (more is better, unless the part says otherwise), and what else its table
 * shows.
 *
 * @type {Record<string, (bench: import('./bench.mjs').Bench) => Promise<object>>}
 */
export const parts = {
  matrix: async (bench) => ({
    reference: 'frames',
    rows: await bench.compare({
      kinds: webSocketKinds(bench),
      scenarios: cross([CONNECTIONS], bench.settings.sizes, bench.settings.windows).filter(isWorthIt(bench)),
      measure: echo(bench),
    }),
  }),

  scale: async (bench) => ({
    reference: 'frames',
    rows: await bench.compare({
      kinds: webSocketKinds(bench),
      scenarios: cross(bench.settings.scaleConnections, bench.settings.scaleSizes, bench.settings.windows),
      measure: echo(bench),
      kindByKind: true,
      rounds: bench.settings.sideRounds,
    }),
  }),

  tcp: async (bench) => ({
    reference: 'stream',
    rows: await bench.compare({
      kinds: bench.kinds.filter(({ tcp }) => tcp),
      scenarios: cross([CONNECTIONS], bench.settings.tcpSizes, bench.settings.windows),
      measure: echo(bench),
    }),
  }),

  flood: async (bench) => ({
    reference: 'frames',
    rows: await bench.compare({
      kinds: bench.kinds.filter((kind) => !isOption(kind)),
      rounds: bench.settings.sideRounds,
      scenarios: ['up', 'down'].flatMap((way) => bench.settings.floodSizes.map((size) => ({ way, size }))),
      async measure(proxy, { way, size }) {
        const pool = await proxy.pool(CONNECTIONS);
        const cost = await bench.costOf(proxy, 'flood', { pool, way, size, ms: bench.settings.ms });
        return perCpuSecond(cost, cost.messages);
      },
    }),
  }),

  latency: measureLatency,

  connects: async (bench, met = new Set()) => ({
    reference: 'frames',
    rows: await bench.compare({
      kinds: bench.kinds.filter((kind) => !isOption(kind)),
      scenarios: [{ slots: SLOTS }],
      async measure(proxy, { slots }) {
        const { ms } = bench.settings;
        // A handshake is a lot of code, and a compiler that watches it needs some thousands.
        if (!met.has(proxy)) await bench.costOf(proxy, 'connects', { ...proxy.address, slots, ms: 10 * ms });
        met.add(proxy);
        const cost = await bench.costOf(proxy, 'connects', { ...proxy.address, slots, ms: 4 * ms });
        return perCpuSecond(cost, cost.connections);
      },
    }),
  }),

  idle: async (bench) => {
    const room = Math.floor((bench.generator.about.files - SPARE_FILES) / 2);
    const connections = Math.min(bench.settings.idleConnections, room);
    return {
      reference: 'frames',
      wanted: bench.settings.idleConnections,
      rows: await bench.compareFresh({
        kinds: bench.kinds.filter((kind) => !isOption(kind)),
        scenarios: [{ connections }],
        async measure(proxy) {
          const count = proxy.kind.forks ? FORKS : connections;
          const before = proxy.memory();
          await proxy.pool(count);
          return { value: (proxy.memory() - before) / count, connections: count };
        },
      }),
    };
  },

  'slow-reader': async (bench) => {
    const { offered, quietMs } = bench.settings;
    return {
      reference: 'frames',
      offered,
      rows: await bench.compareFresh({
        kinds: bench.kinds.filter((kind) => !isOption(kind)),
        scenarios: [{ way: 'down' }, { way: 'up' }],
        async measure(proxy, { way }) {
          const pool = await proxy.pool(SLOW_READERS);
          const before = proxy.memory();
          const load = { way, size: SLOW_MESSAGE, offered, quiet: quietMs, ms: SLOW_DEADLINE_MS };
          const { taken } = await bench.generator.ask('slow-reader', { pool, ...load });
          return { value: proxy.memory() - before, taken };
        },
      }),
    };
  },

  tls: async (bench) => {
    if (!bench.generator.about.tls)
      return { skipped: 'there are no OpenSSL headers to build with (Debian: libssl-dev)' };
    // The floor and the forks say nothing new here, and the options neither.
    const kinds = bench.kinds.filter((kind) => !kind.tcp && kind.side !== 'floor' && !isOption(kind));
    const scenarios = cross([CONNECTIONS], bench.settings.tlsSizes, bench.settings.windows);
    const rounds = bench.settings.sideRounds;
    const off = await bench.compare({ kinds, scenarios, rounds, measure: echo(bench) });
    const on = await bench.compare({ kinds, scenarios, rounds, measure: echo(bench), tls: true });
    await bench.stopAll({ tls: true });
    return {
      reference: 'frames',
      rows: scenarios.flatMap((scenario, index) => [
        { scenario: { ...scenario, tls: 'off' }, cells: off[index].cells },
        { scenario: { ...scenario, tls: 'on' }, cells: on[index].cells },
      ]),
    };
  },

  options: async (bench) => ({
    reference: 'frames',
    rows: await bench.compare({
      kinds: bench.kinds.filter((kind) => kind.name === 'ws' || (kind.side === 'ours' && !kind.tcp)),
      scenarios: cross([CONNECTIONS], [125, 16_384], [1, 16]),
      measure: echo(bench),
    }),
  }),
};

/** Every proxy under the same rate: half of what the slowest of them can take. */
async function measureLatency(bench) {
  const kinds = webSocketKinds(bench);
  const scenario = { connections: CONNECTIONS, size: 125, window: 1 };
  const [{ cells }] = await bench.compare({ kinds, scenarios: [scenario], measure: echo(bench) });
  const speeds = Object.values(cells)
    .filter(({ samples }) => samples.length > 0)
    // The best: a round in which the machine was busy with other things says nothing of what a proxy can take.
    .map(({ samples }) => Math.max(...samples.map(({ perSecond }) => perSecond)));
  if (speeds.length === 0) return { skipped: 'no proxy came through the measurement of its capacity' };
  const rate = Math.floor(Math.min(...speeds) / 2);
  const ask = async (pool) => {
    const answer = await bench.generator.ask('rate', { pool, size: 125, rate, ms: bench.settings.latencyMs });
    return { ...answer, value: answer.p99 };
  };
  const rows = await bench.compare({
    kinds,
    scenarios: [{ connections: CONNECTIONS, size: 125, rate }],
    measure: async (proxy) => ask(await proxy.pool(CONNECTIONS)),
  });
  const { websocket } = bench.generator.about;
  const { pool } = await bench.generator.ask('open', { port: websocket, connections: CONNECTIONS });
  const direct = [];
  for (let round = 0; round < bench.settings.rounds; round += 1) direct.push(await ask(pool));
  await bench.generator.ask('close', { pool });
  return { reference: 'frames', rate, direct: percentilesOf(direct), rows };
}

/** The medians over the rounds. */
export function percentilesOf(samples) {
  return Object.fromEntries(['p50', 'p99', 'p999'].map((name) => [name, median(samples.map((one) => one[name]))]));
}

function echo(bench) {
  return async (proxy, { connections, size, window }) => {
    const pool = await proxy.pool(connections);
    const cost = await bench.costOf(proxy, 'echo', { pool, size, window, ms: bench.settings.ms });
    return perCpuSecond(cost, cost.messages);
  };
}

function perCpuSecond({ used, seconds, proxyBusy, loadBusy }, count) {
  if (used <= 0 || count === 0) throw new Error('nothing was counted');
  return { value: count / used, perSecond: count / seconds, proxyBusy, loadBusy };
}

/** A quick run leaves out what no goal is about. */
function isWorthIt({ settings: { quick, payload } }) {
  return ({ size, window }) => !quick || payload !== undefined || window > 1 || [125, 16_384].includes(size);
}

function webSocketKinds(bench) {
  return bench.kinds.filter((kind) => !kind.tcp && !isOption(kind));
}

function cross(connections, sizes, windows) {
  return connections.flatMap((count) =>
    sizes.flatMap((size) => windows.map((window) => ({ connections: count, size, window }))),
  );
}
