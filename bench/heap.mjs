/**
 * Owns what the heap of an idle pair consists of: `node bench/heap.mjs [pairs]` opens them through a Tidegate of its own, and
 * adds up the objects of a heap snapshot by what they belong to, and resident memory by who holds it. Run with a port, it is that
 * Tidegate.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { getHeapSpaceStatistics, writeHeapSnapshot } from 'node:v8';
import { buildGenerator, Generator } from './generator.mjs';

/** What an object belongs to, by its class or the name of its function; the first that fits. */
const PARTS = [
  ['sockets', /^(TCP|Node \/ TCP.*|HandleWire)$/],
  ['actors of the charts', /^ChartActor$/],
  ['connection and upstream actors', /^(Connection\w+|Upstream\w+|Outbox|CallbackQueue|Reading|ClosingHandshake)$/],
  ['request', /^(ParsedUpgradeRequest|DecisionSignal)$/],
  [
    'data path',
    /^(Frames\w*|Frame\w+|Inbound|Outbound|\w*Link|\w*Outlet|Intake|Watermark|\w+Side|Traffic\w+|Downstream\w+)$/,
  ],
  ['heartbeat', /^HeartWatch$/],
  ['strings', /^\(.*string\)$/],
  ['plain objects, arrays, closures and shapes', /.*/],
];

const [first = '4000', port, target] = process.argv.slice(2);
if (port === undefined) await measure(Number(first));
else await serve();

async function serve() {
  const dist = pathToFileURL(fileURLToPath(new URL('../dist/index.js', import.meta.url))).href;
  const { ProxyServer } = await import(dist);
  const server = new ProxyServer({ listen: `127.0.0.1:${port}`, target: `ws://127.0.0.1:${target}` });
  await server.start();
  process.on('message', (file) => {
    globalThis.gc();
    if (typeof file === 'string') writeHeapSnapshot(file);
    process.send(memory());
  });
  process.on('disconnect', () => process.exit());
  process.send('ready');
}

/** Bytes. What is young was collected, so that nothing in it lives. */
function memory() {
  const sums = { used: 0, old: 0, young: 0, rss: process.memoryUsage.rss() };
  for (const { space_name: name, space_used_size: used, physical_space_size: resident } of getHeapSpaceStatistics()) {
    sums[name.startsWith('new_') ? 'young' : 'old'] += resident;
    sums.used += used;
  }
  return sums;
}

async function measure(pairs) {
  buildGenerator();
  const generator = await Generator.start([]);
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-heap-'));
  console.log(`Bytes of each idle pair, ${pairs} pairs, Node.js ${process.version}, garbage collected before:\n`);
  try {
    await withProxy(generator, async (ask, open) => {
      await open(500);
      const before = sizes(await snapshot(ask, join(folder, 'before.heapsnapshot')));
      await open(pairs);
      const after = sizes(await snapshot(ask, join(folder, 'after.heapsnapshot')));
      for (const [part] of PARTS) print(part, ((after.get(part) ?? 0) - (before.get(part) ?? 0)) / pairs);
    });
    // Another one, because a snapshot takes memory itself.
    await withProxy(generator, async (ask, open) => {
      const before = await ask(0);
      await open(pairs);
      const after = await ask(0);
      const grown = (what) => (after[what] - before[what]) / pairs;
      print('all objects of the heap', grown('used'));
      print('room between them', grown('old') - grown('used'));
      print('young generation', grown('young'));
      print('outside of the heap', grown('rss') - grown('old') - grown('young'));
      print('resident memory', grown('rss'));
    });
  } finally {
    generator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withProxy(generator, act) {
  const free = 20_000 + Math.floor(Math.random() * 9000);
  const args = [first, String(free), String(generator.about.websocket)];
  const proxy = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--expose-gc'] });
  const ended = once(proxy, 'exit');
  try {
    await once(proxy, 'message');
    const ask = async (file) => {
      proxy.send(file);
      return (await once(proxy, 'message'))[0];
    };
    await act(ask, (connections) => generator.ask('open', { port: free, connections, size: 125 }));
  } finally {
    proxy.disconnect();
    await ended;
  }
}

async function snapshot(ask, file) {
  await ask(file);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Bytes by part. */
function sizes({ snapshot: { meta }, nodes, strings }) {
  const width = meta.node_fields.length;
  const [type, name, size] = ['type', 'name', 'self_size'].map((field) => meta.node_fields.indexOf(field));
  const types = meta.node_types[type];
  const sums = new Map();
  for (let at = 0; at < nodes.length; at += width) {
    const kind = types[nodes[at + type]];
    if (kind === 'code' || kind === 'synthetic') continue;
    const label = kind.endsWith('string') ? `(${kind})` : strings[nodes[at + name]];
    const [part] = PARTS.find(([, fits]) => fits.test(label));
    sums.set(part, (sums.get(part) ?? 0) + nodes[at + size]);
  }
  return sums;
}

function print(what, bytes) {
  console.log(`${String(Math.round(bytes)).padStart(7)}  ${what}`);
}
