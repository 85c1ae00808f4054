/**
 * Owns what recording costs: bursts of small messages through a receiver server that echoes, with no folder for recordings, with one and
 * nobody recorded, and with the connection recorded. Build first. `node bench/recording.mjs [rounds]`
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket, { WebSocketServer } from 'ws';
import { ProxyServer } from '../dist/index.js';

const ROUNDS = Number(process.argv[2] ?? 5);
const MESSAGES = 40_000;
const IN_FLIGHT = 500;

const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
const target = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
target.on('connection', (socket) => socket.on('message', (data) => socket.send(data, { binary: false })));
await once(target, 'listening');
const url = `ws://127.0.0.1:${target.address().port}`;

const WAYS = {
  'no folder': {},
  'a folder, nobody recorded': { recording: { directory: folder } },
  recorded: { recording: { directory: folder, rules: [{}], maxFiles: 4 } },
};

const results = Object.fromEntries(Object.keys(WAYS).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, options] of Object.entries(WAYS)) results[name].push(await measure(options));
}
for (const [name, rates] of Object.entries(results)) {
  const sorted = [...rates].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  console.log(`${name.padEnd(28)} ${Math.round(median)} messages per CPU-second (best ${Math.round(sorted.at(-1))})`);
}
target.close();
rmSync(folder, { recursive: true });

/** Messages there and back, per second of processor time. */
async function measure(options) {
  const proxy = new ProxyServer({ listen: '127.0.0.1:0', target: url, ...options });
  const [{ port }] = await proxy.start();
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await new Promise((resolve) => client.once('open', resolve));
  const before = process.cpuUsage();
  await new Promise((resolve) => {
    let sent = 0;
    let came = 0;
    const send = () => {
      while (sent < MESSAGES && sent - came < IN_FLIGHT) {
        client.send('a message of some thirty bytes');
        sent += 1;
      }
    };
    client.on('message', () => {
      came += 1;
      if (came === MESSAGES) resolve();
      else if (sent - came < IN_FLIGHT / 2) send();
    });
    send();
  });
  const { user, system } = process.cpuUsage(before);
  client.terminate();
  for (const one of target.clients) one.terminate();
  await proxy.stop({ drainTimeout: 0 });
  return MESSAGES / ((user + system) / 1e6);
}
