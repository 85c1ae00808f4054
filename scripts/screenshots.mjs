/**
 * Owns taking the pictures of the dashboard for the docs, with real traffic: docs/images/dashboard-*.png. Run `npm run screenshots`; it
 * takes Chromium from `CHROMIUM_PATH`, or from the path of programs.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { ConnectionReceiver, ProxyServer } from '../dist/index.js';
import { openChromium } from './chromium.mjs';
import { ROOT } from './workspace.mjs';

const PICTURES = join(ROOT, 'docs', 'images');

/** How long traffic goes before the first picture: a minute of plots would be prettier, and takes one. */
const TRAFFIC_MS = Number(process.env.SCREENSHOT_TRAFFIC_MS ?? 45_000);

const NAMES = ['anna', 'bert', 'carla', 'dora', 'emil'];

/** A target that answers everything, some of it larger than it came. */
function startTarget() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
      if (Math.random() < 0.3) socket.send(Buffer.alloc(2000));
    });
  });
  return new Promise((resolve) => server.once('listening', () => resolve(server)));
}

/** Clients that talk, some of which leave and come back. Answers with what ends them. */
function startClients(url, number) {
  const clients = Array.from({ length: number }, (_, index) => open(url, index));
  const timer = setInterval(() => {
    for (const [index, socket] of clients.entries()) {
      if (socket.readyState === WebSocket.OPEN && Math.random() < 0.4) socket.send('x'.repeat(20 + index * 7));
      if (Math.random() > 0.001) continue;
      socket.close(index % 3 === 0 ? 4000 : 1000, 'moving on');
      clients[index] = open(url, index);
    }
  }, 100);
  return () => {
    clearInterval(timer);
    for (const socket of clients) socket.terminate();
  };
}

function open(url, index) {
  const socket = new WebSocket(`${url}/room/${index % 7}?name=${NAMES[index % NAMES.length]}`);
  socket.on('error', () => {});
  return socket;
}

/** Takes one picture, and says how large it is. */
async function take(browser, url, name, { width, height, dark }, act) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(url);
  await act(page);
  const path = join(PICTURES, `dashboard-${name}.png`);
  await page.screenshot({ path });
  console.log(`docs/images/dashboard-${name}.png: ${statSync(path).size} bytes`);
  await context.close();
}

const target = await startTarget();
const proxy = new ProxyServer({
  listen: '127.0.0.1:0',
  target: `ws://127.0.0.1:${target.address().port}`,
  admin: { listen: '127.0.0.1:0' },
  receiver: () => new ConnectionReceiver(),
});
const [{ url }] = await proxy.start();
const stopClients = startClients(url, 60);
const dashboard = `${proxy.adminUrl}/dashboard`;
mkdirSync(PICTURES, { recursive: true });
const browser = await openChromium();
try {
  const desktop = { width: 1280, height: 860 };
  await take(browser, dashboard, 'overview', desktop, (page) => page.waitForTimeout(TRAFFIC_MS));
  await take(browser, `${dashboard}#/charts`, 'charts', desktop, (page) => page.waitForTimeout(2500));
  await take(
    browser,
    `${dashboard}#/connections`,
    'connection',
    { width: 1200, height: 760, dark: true },
    async (page) => {
      await page.locator('tbody th a').nth(20).click();
      await page.locator('[data-state="connection.open.outbound.flowing"].active').waitFor();
      await page.waitForTimeout(1500);
    },
  );
  await take(browser, `${dashboard}#/connections`, 'phone', { width: 360, height: 720 }, (page) =>
    page.waitForTimeout(2500),
  );
} finally {
  await browser.close();
  stopClients();
  await proxy.stop({ drainTimeout: 0 });
  for (const socket of target.clients) socket.terminate();
  target.close();
}
