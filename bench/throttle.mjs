/**
 * Owns showing that a throttle keeps its rate: for ten seconds each, on every data path, both ways, with small and large messages, and
 * what a neighbour without a rate does meanwhile. Run `npm run build` first, then `node bench/throttle.mjs`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';

const SECONDS = Number(process.argv[2]) || 10;
const BITS = 2_000_000;
const SIZES = [64, 65_536, 1_048_576];
const AHEAD_BYTES = 256 * 1024;
const HOST = '127.0.0.1';

const TARGETS = { frames: 'ws', stream: 'tcp', messages: 'ws' };

/** The proxies have a process of their own: what they are measured with must not be in their way. */
function beProxies() {
  const loading = import('../dist/index.js');
  process.on('message', async ({ path, target, throttle, id }) => {
    const { ConnectionReceiver, ProxyServer } = await loading;
    class Reader extends ConnectionReceiver {
      onBinary() {}
    }
    const receiver = path === 'messages' ? () => new Reader() : undefined;
    const proxy = new ProxyServer({ listen: `${HOST}:0`, target, receiver, throttle });
    const [{ port }] = await proxy.start();
    process.send({ id, port });
  });
  process.on('disconnect', () => process.exit());
}

let proxies;
const answers = new Map();

/** The port of a new proxy. */
function startProxy(path, target, throttle) {
  proxies ??= fork(import.meta.filename, ['proxies']).on('message', ({ id, port }) => answers.get(id)(port));
  const id = answers.size;
  return new Promise((resolve) => {
    answers.set(id, resolve);
    proxies.send({ path, target, throttle, id });
  });
}

/** A target that gives its end of the next connection. */
async function startTarget(kind) {
  if (kind === 'ws') {
    const server = new WebSocketServer({ host: HOST, port: 0, perMessageDeflate: false });
    await once(server, 'listening');
    return {
      url: `ws://${HOST}:${server.address().port}`,
      next: () => once(server, 'connection'),
      close: () => server.close(),
    };
  }
  const server = net.createServer().listen(0, HOST);
  await once(server, 'listening');
  return {
    url: `tcp://${HOST}:${server.address().port}`,
    next: () => once(server, 'connection'),
    close: () => server.close(),
  };
}

/** Sends as fast as the other side takes it, until it is told to stop. */
function flood(peer, size, pause = 20) {
  const message = Buffer.alloc(size, 'x');
  let on = true;
  (async () => {
    while (on) {
      const waiting = () => (peer instanceof WebSocket ? peer.bufferedAmount : peer.writableLength);
      while (on && waiting() <= AHEAD_BYTES) {
        if (peer instanceof WebSocket) peer.send(message);
        else peer.write(message);
      }
      await sleep(pause);
    }
  })();
  return () => {
    on = false;
  };
}

/** Counts what arrives; the rate is that between the first and the last arrival. @param whole whether messages come whole or not at all */
function meter(peer, factor, whole) {
  let first;
  let last;
  let bytes = 0;
  const source = whole ? peer : (peer._socket ?? peer);
  source.on(whole ? 'message' : 'data', (data) => {
    last = performance.now();
    if (first === undefined) first = last;
    else bytes += data.length * factor;
  });
  return () => (bytes * 8000) / (last - first);
}

/** Of a masked frame. */
const headerBytes = (size) => (size < 126 ? 6 : size < 65_536 ? 8 : 14);

async function open(port, target, connected) {
  const arrived = target.next();
  const client = new WebSocket(`ws://${HOST}:${port}`, { perMessageDeflate: false });
  await once(client, 'open');
  const [peer] = await arrived;
  connected.push(client, peer);
  return { client, peer };
}

async function start(path, throttle) {
  const target = await startTarget(TARGETS[path]);
  const port = await startProxy(path, target.url, throttle);
  const connected = [];
  return {
    open: () => open(port, target, connected),
    stop() {
      for (const one of connected) one instanceof WebSocket ? one.terminate() : one.destroy();
      target.close();
    },
  };
}

async function measure(path, way, size) {
  const stage = await start(path, { [way]: BITS });
  const { client, peer } = await stage.open();
  const [from, to] = way === 'read' ? [client, peer] : [peer, client];
  // The rate counts bytes as they are on the client's wire: to a plain target no headers go on.
  const factor = path === 'stream' && way === 'read' ? (size + headerBytes(size)) / size : 1;
  const whole = path === 'messages' && way === 'read';
  const rate = meter(to, whole ? (size + headerBytes(size)) / size : factor, whole);
  const stop = flood(from, size);
  await sleep(SECONDS * 1000);
  stop();
  const measured = rate();
  stage.stop();
  return {
    path,
    way,
    size,
    'Mbit/s': (measured / 1e6).toFixed(3),
    off: `${((measured / BITS - 1) * 100).toFixed(2)} %`,
  };
}

/** What a connection without a rate gets through, beside some that wait for theirs. */
async function neighbour(throttled) {
  const slow = await start('frames', { read: BITS, write: BITS });
  const free = await start('frames', undefined);
  const stops = [];
  for (let count = 0; count < throttled; count += 1) {
    const { client, peer } = await slow.open();
    stops.push(flood(client, 65_536), flood(peer, 65_536));
  }
  // The buffers of the operating system fill first.
  await sleep(3000);
  const { client, peer } = await free.open();
  const rate = meter(peer, 1, true);
  stops.push(flood(client, 16_384, 0));
  await sleep(3000);
  for (const stop of stops) stop();
  const measured = rate();
  slow.stop();
  free.stop();
  return { 'throttled connections': throttled, 'neighbour, Mbit/s': (measured / 1e6).toFixed(0) };
}

async function main() {
  console.log(`${BITS / 1e6} Mbit/s for ${SECONDS} s`);
  for (const path of Object.keys(TARGETS)) {
    const cases = ['read', 'write'].flatMap((way) => SIZES.map((size) => measure(path, way, size)));
    console.table(await Promise.all(cases));
  }
  const neighbours = [];
  for (const throttled of [0, 20, 0, 20]) neighbours.push(await neighbour(throttled));
  console.table(neighbours);
  proxies.disconnect();
}

await (process.argv[2] === 'proxies' ? beProxies() : main());
