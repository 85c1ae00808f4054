/**
 * Owns what a scrape of `/metrics` costs with many connections: `npm run build && node bench/scrape.mjs [connections]`, 9000 by default,
 * each with two descriptors of this process. A scrape is one turn, in which nothing else happens. Refuses to judge.
 */
import { connect } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ReceiverServer } from '../dist/index.js';
import { ConnectionReceiver } from '../dist/receivers/index.js';
import { administration } from '../dist/server/admin/administration.js';
import { Metrics } from '../dist/server/telemetry/metrics/metrics.js';
import { readServer } from '../dist/server/telemetry/metrics/reading.js';
import { median } from './statistics.mjs';

const ROUNDS = 21;
/** Numbers of thousands of connections are not walked for again at once: a round is to find none that are fresh. */
const PAUSE_MS = 400;
const AT_A_TIME = 100;
const REQUEST = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n');

const wanted = Number(process.argv[2] ?? 9000);
const server = new ReceiverServer({
  listen: '127.0.0.1:0',
  receiver: () => new ConnectionReceiver(),
  limits: { maxConnections: wanted + 1, maxConnectionsPerAddress: 0 },
});
const [{ port }] = await server.start();
const clients = [];
while (clients.length < wanted) clients.push(...(await Promise.all(Array.from({ length: AT_A_TIME }, open))));

const metrics = new Metrics(new Map([['bench', server[administration]()]]));
await metrics.expose();
const walks = [];
const scrapes = [];
const stalls = [];
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
for (let round = 0; round < ROUNDS; round += 1) {
  walks.push(timed(() => readServer('bench', server[administration]())));
  delay.reset();
  const began = performance.now();
  await metrics.expose();
  scrapes.push(performance.now() - began);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  stalls.push(delay.max / 1e6);
}
const { text } = await metrics.expose();
const counted = /^tidegate_connections\{.*state="open"\} (\d+)$/m.exec(text)?.[1];
console.log(`${counted} connections, medians of ${ROUNDS}:`);
console.log(`  the walk over all of them  ${median(walks).toFixed(2)} ms`);
console.log(`  a scrape                   ${median(scrapes).toFixed(2)} ms, ${text.length} bytes`);
console.log(`  the longest turn in it     ${median(stalls).toFixed(2)} ms, of which the timer that measures it has 1`);
for (const client of clients) client.destroy();
await server.stop({ drainTimeout: 0 });

function timed(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function open() {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST));
    socket.once('error', reject);
    socket.once('data', (head) => {
      if (head.includes(' 101 ')) resolve(socket);
      else reject(new Error(`the answer is ${head}`));
    });
  });
}
