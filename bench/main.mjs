/** Owns the benchmark: which proxies, which loads, in which order, and what is printed. See README.md beside it. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../scripts/workspace.mjs';
import { Child } from './child.mjs';
import { selfTimes } from './self-time.mjs';

const USAGE = `Usage: npm run bench -- [options]
  --part <names>        of throughput,handshakes,memory; default all of them
  --quick               two payload sizes, shorter and fewer rounds: under 30 seconds
  --json                prints JSON
  --only <names>        of ${'frames,stream,messages,ws,http-proxy'}; ws is always measured, as the measure of the others
  --against <folder>    a dist folder of another build, measured in the same run: its proxies have an asterisk
  --payload <sizes>     in bytes, such as 16,1024
  --window <counts>     messages on their way for each connection, such as 1,16
  --connections <n>     default 50
  --rounds <n>          default 5
  --ms <n>              how long one measurement sends, default 350
  --profile             writes a CPU profile of each proxy, and prints where its own time went`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    only: { type: 'string' },
    part: { type: 'string' },
    against: { type: 'string' },
    payload: { type: 'string' },
    window: { type: 'string' },
    connections: { type: 'string', default: '50' },
    rounds: { type: 'string' },
    ms: { type: 'string' },
  },
});

const ALL = ['frames', 'stream', 'messages', 'ws', 'http-proxy'];
const OURS = ['frames', 'stream', 'messages'];
const MEASURE = 'ws';
const FLOOD_MS = 1000;

const list = (text, fallback) => text?.split(',').map(Number) ?? fallback;
const settings = {
  kinds: ALL.filter((kind) => kind === MEASURE || values.only === undefined || values.only.split(',').includes(kind))
    // A twin stands behind each of ours, so that both meet the same disturbances.
    .flatMap((kind) => (values.against === undefined || !OURS.includes(kind) ? [kind] : [kind, `${kind}*`])),
  parts: values.part?.split(',') ?? ['throughput', 'handshakes', 'memory'],
  payloads: list(values.payload, values.quick ? [16, 16_384] : [16, 1024, 16_384, 65_536]),
  windows: list(values.window, [1, 16]),
  connections: Number(values.connections),
  rounds: Number(values.rounds ?? (values.quick ? 2 : 5)),
  ms: Number(values.ms ?? (values.quick ? 200 : 350)),
};

if (values.help) {
  console.log(USAGE);
} else {
  const code = await build();
  process.exitCode = code === 0 ? await main() : code;
}

async function main() {
  const begun = performance.now();
  const load = new Child('load.mjs');
  const ports = await load.ask({ command: 'ports' });
  const folder = values.profile ? mkdtempSync(join(tmpdir(), 'tidegate-bench-')) : undefined;
  const proxies = [];
  for (const kind of settings.kinds) {
    const profile =
      folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-name=${kind}.cpuprofile`, `--cpu-prof-dir=${folder}`];
    const child = startProxy(kind, ports.plain, ports.websocket, profile);
    const { port } = await child.ready();
    await load.ask({ command: 'open', name: kind, port, connections: settings.connections });
    proxies.push({ kind, child, port });
  }
  const wanted = (part) => settings.parts.includes(part);
  const throughput = wanted('throughput') ? await measureThroughput(load, proxies) : [];
  const handshakes = wanted('handshakes') ? await measureHandshakes(load, proxies) : [];
  for (const { child } of proxies) await child.stop();
  const memory = wanted('memory') ? await measureMemory(load, ports) : [];
  await load.stop();

  const seconds = (performance.now() - begun) / 1000;
  if (values.json) {
    const { node, v8 } = process.versions;
    console.log(JSON.stringify({ settings, versions: { node, v8 }, seconds, throughput, handshakes, memory }, null, 2));
  } else {
    print({ throughput, handshakes, memory, seconds });
  }
  for (const { kind } of folder === undefined ? [] : proxies) {
    console.log(`\n${kind}: own time (${join(folder, `${kind}.cpuprofile`)})`);
    const { functions, modules } = selfTimes(join(folder, `${kind}.cpuprofile`), 25);
    for (const { share, name } of modules) console.log(`  ${share.toFixed(1).padStart(5)} %  ${name}`);
    console.log('');
    for (const { share, name } of functions) console.log(`  ${share.toFixed(1).padStart(5)} %  ${name}`);
  }
  return 0;
}

/** Starts a proxy before one of two targets. An asterisk behind its name means the other build. */
function startProxy(kind, plainPort, webSocketPort, execArgv = []) {
  const name = kind.replace('*', '');
  const args = [name, String(name === 'stream' ? plainPort : webSocketPort)];
  if (name !== kind) args.push(values.against);
  return new Child('proxy.mjs', args, execArgv);
}

/** Every proxy in turn for each load, and all of that again in each round, so that a disturbance hits all of them. */
async function measureThroughput(load, proxies) {
  const scenarios = settings.payloads.flatMap((size) => settings.windows.map((window) => ({ size, window })));
  const results = scenarios.map((scenario) => ({ ...scenario, proxies: {} }));
  // The first runs compile the hot functions; they are not counted.
  for (const { size, window } of [scenarios[0], scenarios.at(-1)]) {
    for (const proxy of proxies) await measure(load, proxy, { size, window });
  }
  for (let round = 0; round < settings.rounds; round += 1) {
    // Who follows whom matters a little, so the order turns round and round.
    const shift = round % proxies.length;
    const order = [...proxies.slice(shift), ...proxies.slice(0, shift)];
    if (round % 2 === 1) order.reverse();
    for (const { size, window, proxies: byKind } of results) {
      for (const proxy of order) {
        byKind[proxy.kind] ??= [];
        byKind[proxy.kind].push(await measure(load, proxy, { size, window }));
      }
    }
  }
  return results.map(({ size, window, proxies: byKind }) => ({
    size,
    window,
    proxies: Object.fromEntries(
      Object.entries(byKind).map(([kind, rounds]) => [
        kind,
        {
          messagesPerCpuSecond: Math.round(median(rounds.map(({ perCpuSecond }) => perCpuSecond))),
          ratio: round(
            median(rounds.map(({ perCpuSecond }, index) => perCpuSecond / byKind[MEASURE][index].perCpuSecond)),
          ),
          messagesPerSecond: Math.round(median(rounds.map(({ perSecond }) => perSecond))),
          proxyBusy: round(median(rounds.map(({ busy }) => busy))),
          loadBusy: round(median(rounds.map(({ loadBusy }) => loadBusy))),
        },
      ]),
    ),
  }));
}

async function measure(load, { kind, child }, scenario) {
  // Both readings are taken while nothing is on its way, so that they belong to exactly these messages.
  const before = await child.ask({});
  const { messages, seconds, cpu } = await load.ask({ command: 'run', name: kind, ms: settings.ms, ...scenario });
  const after = await child.ask({});
  const used = after.cpu - before.cpu;
  return {
    perCpuSecond: messages / used,
    perSecond: messages / seconds,
    busy: used / seconds,
    loadBusy: cpu / seconds,
  };
}

async function measureHandshakes(load, proxies) {
  const rounds = Math.min(settings.rounds, 3);
  const counts = new Map(proxies.map(({ kind }) => [kind, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { kind, child, port } of proxies) {
      // The first round compiles, which takes longer than for the few functions of a data path.
      const ms = round === 0 ? 4 * settings.ms : 2 * settings.ms;
      const before = await child.ask({});
      const { count } = await load.ask({ command: 'handshakes', port, slots: 20, ms });
      const after = await child.ask({});
      if (round > 0) counts.get(kind).push(count / (after.cpu - before.cpu));
    }
  }
  const measured = counts.get(MEASURE);
  return [...counts].map(([kind, rounds]) => ({
    kind,
    handshakesPerCpuSecond: Math.round(median(rounds)),
    ratio: round(median(rounds.map((value, index) => value / measured[index]))),
  }));
}

/** Four clients that do not read, a target that sends as fast as it may: what a proxy takes and keeps. */
async function measureMemory(load, ports) {
  const results = [];
  for (const kind of settings.kinds) {
    const child = startProxy(kind, ports.floodPlain, ports.floodWebsocket);
    const { port } = await child.ready();
    const before = await child.ask({});
    const flooding = load.ask({ command: 'flood', port, connections: 4, ms: FLOOD_MS });
    const { taken } = await flooding;
    const after = await child.ask({});
    await child.stop();
    results.push({ kind, takenMiB: round(taken / 2 ** 20), grownMiB: round((after.rss - before.rss) / 2 ** 20) });
  }
  return results;
}

function print({ throughput, handshakes, memory, seconds }) {
  const { connections, rounds, ms } = settings;
  console.log(`Node.js ${process.version}, ${connections} connections, medians of ${rounds} rounds of ${ms} ms.`);
  if (throughput.length > 0) printThroughput(throughput);
  if (handshakes.length > 0) {
    console.log(
      '\nHandshakes per CPU-second (connect, 101, one message there and back, close; the target is dialled too):\n',
    );
    printTable([
      handshakes.map(({ kind }) => kind),
      handshakes.map(({ handshakesPerCpuSecond, ratio }) => `${short(handshakesPerCpuSecond)} (${ratio.toFixed(2)})`),
    ]);
  }
  if (memory.length > 0) {
    console.log(
      '\nFour clients that do not read, a target that floods (64 KiB messages, one second): taken from it, growth of the process:\n',
    );
    printTable([
      memory.map(({ kind }) => kind),
      memory.map(({ takenMiB, grownMiB }) => `${takenMiB} MiB, ${grownMiB} MiB`),
    ]);
  }
  console.log(`\n${seconds.toFixed(0)} s`);
}

function printThroughput(throughput) {
  const { kinds } = settings;
  console.log(
    'Messages moved per CPU-second of the proxy (a round trip is two); in brackets the ratio to a plain ws relay.\n',
  );
  const header = ['payload', 'window', ...kinds, 'load busy'];
  const rows = throughput.map(({ size, window, proxies }) => [
    `${size} B`,
    `x${window}`,
    ...kinds.map((kind) => `${short(proxies[kind].messagesPerCpuSecond)} (${proxies[kind].ratio.toFixed(2)})`),
    `${Math.round(100 * Math.max(...kinds.map((kind) => proxies[kind].loadBusy)))} %`,
  ]);
  printTable([header, ...rows]);
}

function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) console.log(row.map((cell, column) => cell.padStart(widths[column])).join('   '));
}

function short(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)}k` : String(value);
}

function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

function round(value) {
  return Math.round(value * 100) / 100;
}
