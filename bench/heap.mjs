/**
 * Owns what the heap of an idle pair consists of: `node bench/heap.mjs [pairs]` opens them through a Tidegate of its own, and
 * adds up the objects of a heap snapshot by what they belong to. Run with a number, it is that Tidegate.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { writeHeapSnapshot } from 'node:v8';
import { buildGenerator, Generator } from './generator.mjs';

/** What an object belongs to, by its class or the name of its function; the first that fits. */
const PARTS = [
  ['sockets', /^(TCP|Node \/ TCP.*|HandleWire)$/],
  ['XState actors', /^(Actor|Mailbox|emit|defer|stopChild|actionExecutor|native_bind|Set|Map)$/],
  [
    'connection and upstream actors',
    /^(Connection\w+|Upstream\w+|Outbox|CallbackQueue|Reading|ClosingHandshake|Date)$/,
  ],
  ['request', /^(ParsedUpgradeRequest|DecisionSignal)$/],
  [
    'data path',
    /^(Frames\w*|Frame\w+|Inbound|Outbound|\w*Link|\w*Outlet|Intake|Watermark|\w+Side|Traffic\w+|Downstream\w+)$/,
  ],
  ['heartbeat', /^(HeartWatch|Entry|#due)$/],
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
    process.send(process.memoryUsage());
  });
  process.on('disconnect', () => process.exit());
  process.send('ready');
}

async function measure(pairs) {
  buildGenerator();
  const generator = await Generator.start([]);
  const free = 40_000 + Math.floor(Math.random() * 9000);
  const args = [first, String(free), String(generator.about.websocket)];
  const proxy = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--expose-gc'] });
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-heap-'));
  try {
    const ask = async (file) => {
      proxy.send(file);
      return (await once(proxy, 'message'))[0];
    };
    await once(proxy, 'message');
    await generator.ask('open', { port: free, connections: 500, size: 125 });
    const before = sizes(await snapshot(ask, join(folder, 'before.heapsnapshot')));
    const memoryBefore = await ask(0);
    await generator.ask('open', { port: free, connections: pairs, size: 125 });
    const memory = await ask(0);
    const after = sizes(await snapshot(ask, join(folder, 'after.heapsnapshot')));
    console.log(`Bytes of each idle pair, ${pairs} pairs, Node.js ${process.version}, garbage collected before:\n`);
    for (const [part] of PARTS) print(part, ((after.get(part) ?? 0) - (before.get(part) ?? 0)) / pairs);
    print('heap', (memory.heapUsed - memoryBefore.heapUsed) / pairs);
    print('resident memory', (memory.rss - memoryBefore.rss) / pairs);
  } finally {
    proxy.disconnect();
    generator.stop();
    rmSync(folder, { recursive: true, force: true });
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
