/**
 * Owns the demonstration: two echo servers inside this process, a proxy before each, the dashboard, and a line that says what to try.
 * Refuses to be a place to learn the library from; the examples are that.
 */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { WebSocketServer } from 'ws';
import { AdminServer } from '../admin/admin-server.js';
import type { AdminConfig } from '../config/admin.js';
import { formatListen, type ListenConfig, parseListenText } from '../config/listen.js';
import { ProxyServer } from '../proxy-server.js';
import type { Logger } from '../telemetry/logger.js';

/** A demonstration that is ready to be started. */
export interface Demo {
  /** The proxies, not started yet, by what is behind each. */
  readonly proxies: ReadonlyMap<string, ProxyServer>;
  /** Of both, not started yet. */
  readonly admin: AdminServer;
  /** Says what listens where and what to try, given the bound addresses of the proxies in order. */
  describe(addresses: readonly string[]): string;
  /** Ends the echo servers. */
  stop(): Promise<void>;
}

/**
 * Starts the echo servers and makes a proxy for each.
 *
 * @param listen the address of the first proxy; the second takes the next port, and a free one stands in for a taken one.
 */
export async function prepareDemo(
  listen: ListenConfig,
  { listen: wanted, token }: AdminConfig,
  logger: Logger,
): Promise<Demo> {
  const first = await freeAddress(listen, logger);
  const second = await freeAddress({ ...listen, port: nextPort(first.port) }, logger);
  const third = await freeAddress(parseListenText(wanted ?? '') ?? { ...listen, port: 0 }, logger);
  const tcp = await startTcpEcho();
  const ws = await startWebSocketEcho();
  const proxies = new Map([
    ['tcp echo', new ProxyServer({ listen: [first], target: tcp.url })],
    ['ws echo', new ProxyServer({ listen: [second], target: ws.url })],
  ]);
  const admin = new AdminServer({ listen: formatListen(third), token, servers: Object.fromEntries(proxies) });
  return {
    proxies,
    admin,
    describe: ([tcpProxy = '', wsProxy = '']) => `
  ${tcpProxy}  forwards to a TCP echo server        (${tcp.url})
  ${wsProxy}  forwards to a WebSocket echo server  (${ws.url})
  ${admin.url}/dashboard  shows what they do, from inside

  Try it in another terminal:  ${tryLine(wsProxy)}
  Ctrl-C ends it.

`,
    stop: async () => {
      await Promise.all([tcp.stop(), ws.stop()]);
    },
  };
}

interface Echo {
  readonly url: string;
  stop(): Promise<void>;
}

async function startTcpEcho(): Promise<Echo> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `tcp://127.0.0.1:${portOf(server)}`, stop: () => closed(server) };
}

async function startWebSocketEcho(): Promise<Echo> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server, 'listening');
  const stop = async () => {
    for (const client of server.clients) client.terminate();
    await closed(server);
  };
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function closed(server: Server | WebSocketServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function nextPort(port: number): number {
  return port === 0 || port === 65535 ? 0 : port + 1;
}

/** The address itself, or any free port of its host when another process listens there. */
async function freeAddress(address: ListenConfig, logger: Logger): Promise<ListenConfig> {
  if (address.port === 0 || (await isFree(address))) return address;
  logger.warn(
    { event: 'demo.port', taken: formatListen(address) },
    `${formatListen(address)} is taken; using a free port`,
  );
  return { ...address, port: 0 };
}

async function isFree({ host, port }: ListenConfig): Promise<boolean> {
  const probe = createServer();
  probe.listen(port, host);
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  await closed(probe);
  return true;
}

// The `ws` package beside this file is named by its path, so that the line works from any folder and on Node.js 20,
// which has no WebSocket of its own.
function tryLine(url: string): string {
  const ws = createRequire(import.meta.url).resolve('ws');
  const script = `const { WebSocket } = require(${quote(ws)}); const w = new WebSocket(${quote(url)}); w.on("open", () => w.send("hello")); w.on("message", (m) => { console.log("echo:", String(m)); w.close(); })`;
  return `node -e '${script}'`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
