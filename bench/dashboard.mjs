/**
 * Owns the measurement of the dashboard in Chromium before a server with many connections: how long the page keeps its one thread, how
 * evenly it draws, how long answers take, and what they cost the server. `npm run bench:dashboard`; see README.md.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { openChromium } from '../scripts/chromium.mjs';
import { build } from '../scripts/workspace.mjs';

const { values } = parseArgs({
  options: {
    idle: { type: 'string', default: '10000' },
    busy: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '8' },
    serve: { type: 'boolean', default: false },
  },
});

/** Milliseconds between two messages of a busy connection. */
const PACE = 100;

/** A masked text frame of four bytes. */
const FRAME = Buffer.from([0x81, 0x84, 0, 0, 0, 0, 0x62, 0x75, 0x73, 0x79]);

const REQUEST = (number) =>
  `GET /room/${number % 100} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

/** The server, in a process of its own: answers what it is asked by its parent. */
async function serve() {
  const { ConnectionReceiver, ReceiverServer } = await import('../dist/index.js');
  class Echo extends ConnectionReceiver {
    onText(text) {
      this.connection.send(text);
    }
  }
  const server = new ReceiverServer({
    listen: '127.0.0.1:0',
    admin: { listen: '127.0.0.1:0' },
    receiver: () => new Echo(),
    limits: { maxConnections: 20_000 },
  });
  const [address] = await server.start();
  process.on('message', () => process.send({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss }));
  process.on('disconnect', () => process.exit(0));
  process.send({ port: address.port, adminUrl: server.adminUrl });
}

async function openClients(port, count) {
  const sockets = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(200, count - sockets.length) }, async (_, index) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(REQUEST(sockets.length + index));
      await once(socket, 'data');
      socket.resume();
      return socket;
    });
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** What the page notes of itself from its start on. */
function watchPage() {
  const seen = { frames: [], tasks: [], answers: [] };
  globalThis.seen = seen;
  let last = performance.now();
  const frame = (now) => {
    seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: 'longtask',
  });
  new PerformanceObserver((list) => {
    for (const { name, duration, transferSize } of list.getEntries()) {
      if (name.includes('/api/')) seen.answers.push({ path: new URL(name).pathname, duration, transferSize });
    }
  }).observe({ type: 'resource' });
}

const share = (numbers, part) => numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * part)] ?? 0;

async function measure() {
  if ((await build()) !== 0) throw new Error('it could not be built');
  const server = fork(new URL(import.meta.url), ['--serve']);
  const [{ port, adminUrl }] = await once(server, 'message');
  const ask = async () => {
    const answer = once(server, 'message');
    server.send('numbers');
    return (await answer)[0];
  };
  const sockets = await openClients(port, Number(values.idle) + Number(values.busy));
  const busy = sockets.slice(0, Number(values.busy));
  const timer = setInterval(() => {
    for (const socket of busy) socket.write(FRAME);
  }, PACE);
  const browser = await openChromium();
  const ms = Number(values.seconds) * 1000;
  const cpuDuring = async (act) => {
    const before = await ask();
    await act();
    const after = await ask();
    return ((after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1000 / ms) * 100;
  };
  try {
    const alone = await cpuDuring(() => new Promise((resolve) => setTimeout(resolve, ms)));
    console.log(
      `${sockets.length} connections, ${busy.length} of them busy; server alone: ${alone.toFixed(1)} % of a core`,
    );
    for (const place of ['#/', '#/charts', '#/connections', '#/connections?search=room', '#/connections/conn-5000']) {
      const page = await browser.newPage();
      await page.addInitScript(watchPage);
      await page.goto(`${adminUrl}/dashboard${place}`);
      await page.waitForTimeout(1500);
      await page.evaluate(() => {
        for (const list of Object.values(globalThis.seen)) list.length = 0;
      });
      const cpu = await cpuDuring(() => page.waitForTimeout(ms));
      const { frames, tasks, answers } = await page.evaluate(() => globalThis.seen);
      await page.close();
      const durations = answers.map(({ duration }) => duration);
      console.log(
        [
          place.padEnd(26),
          `frame p50 ${share(frames, 0.5).toFixed(1)} p99 ${share(frames, 0.99).toFixed(1)} max ${share(frames, 1).toFixed(1)} ms`,
          `tasks above 50 ms: ${tasks.length}, longest ${share(tasks, 1).toFixed(0)} ms`,
          `answers: ${answers.length}, p50 ${share(durations, 0.5).toFixed(0)} max ${share(durations, 1).toFixed(0)} ms, largest ${Math.max(0, ...answers.map(({ transferSize }) => transferSize))} bytes`,
          `server ${cpu.toFixed(1)} % of a core`,
        ].join(' | '),
      );
    }
  } finally {
    clearInterval(timer);
    await browser.close();
    for (const socket of sockets) socket.destroy();
    server.disconnect();
  }
}

await (values.serve ? serve() : measure());
