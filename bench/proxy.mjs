/**
 * Owns one Node.js proxy in a process of its own, ours or a peer: `node bench/proxy.mjs <kind> --listen <port> --target
 * <port>`. It ends on SIGTERM.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { resolve as resolvePath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    listen: { type: 'string' },
    target: { type: 'string' },
    key: { type: 'string' },
    cert: { type: 'string' },
    dist: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
  },
});
const host = '127.0.0.1';
const port = Number(values.listen);
const target = `ws://${host}:${values.target}`;
const tls = values.key === undefined ? undefined : { key: values.key, cert: values.cert };

/** Everything that can be turned off. */
const OFF = {
  heartbeat: { interval: 0 },
  keepAlive: 0,
  limits: { maxConnections: 0, maxMessageBytes: 0, maxFragments: 0 },
  timeouts: { idle: 0, lifetime: 0, pressureDwell: 0 },
};

/** Everything that can be turned on, and often enough to be felt. */
const ON = {
  heartbeat: { interval: '1s', mode: 'always' },
  keepAlive: '30s',
  limits: { maxConnections: 100_000, maxMessageBytes: '64MiB', maxFragments: 16_384 },
  timeouts: { idle: '1m', lifetime: '1h', writeStall: '60s' },
};

async function tidegate(options) {
  const { ConnectionReceiver, ProxyServer } = await import(pathToFileURL(resolvePath(values.dist, 'index.js')).href);

  /** Looks at every message both ways, and lets it pass. */
  class Reader extends ConnectionReceiver {
    seen = 0;

    onText(text) {
      this.seen += text.length;
    }

    onBinary(data) {
      this.seen += data.length;
    }

    onUpstreamText(text) {
      this.seen += text.length;
    }

    onUpstreamBinary(data) {
      this.seen += data.length;
    }
  }

  const { reads = false, ...rest } = options;
  const listen = tls === undefined ? `${host}:${port}` : { host, port, tls };
  const server = new ProxyServer({ listen, target, ...(reads ? { receiver: () => new Reader() } : {}), ...rest });
  await server.start();
}

function httpServer() {
  if (tls === undefined) return createServer();
  return createSecureServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) });
}

/** The relay that everybody writes first: message events of `ws` on both sides. */
async function wsRelay() {
  const { WebSocket, WebSocketServer } = await import('ws');
  const listener = httpServer();
  const server = new WebSocketServer({ server: listener, perMessageDeflate: false });
  server.on('connection', (client, request) => {
    const upstream = new WebSocket(target + request.url, { perMessageDeflate: false });
    const early = [];
    client.on('message', (data, binary) => {
      if (upstream.readyState === WebSocket.OPEN) upstream.send(data, { binary });
      else early.push([data, { binary }]);
    });
    upstream.on('open', () => {
      for (const [data, options] of early) upstream.send(data, options);
    });
    upstream.on('message', (data, binary) => client.send(data, { binary }));
    client.on('close', () => upstream.close());
    upstream.on('close', () => client.close());
    client.on('error', () => upstream.terminate());
    upstream.on('error', () => client.terminate());
  });
  listener.listen(port, host);
}

/** @param {(request: object, socket: import('node:net').Socket, head: Buffer) => unknown} upgrade */
function upgradesWith(upgrade) {
  const server = httpServer();
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    upgrade(request, socket, head);
  });
  server.listen(port, host);
}

async function httpProxy() {
  const { default: library } = await import('http-proxy');
  const proxy = library.createProxyServer({ target, ws: true });
  proxy.on('error', (_error, _request, socket) => socket.destroy());
  upgradesWith((request, socket, head) => proxy.ws(request, socket, head));
}

async function httpxy() {
  const { createProxyServer } = await import('httpxy');
  const proxy = createProxyServer({ target, ws: true });
  proxy.on('error', (_error, _request, socket) => socket?.destroy());
  upgradesWith((request, socket, head) => proxy.ws(request, socket, {}, head).catch(() => socket.destroy()));
}

const kinds = {
  frames: () => tidegate({}),
  'frames-on': () => tidegate(ON),
  'frames-off': () => tidegate(OFF),
  stream: () => tidegate({ target: `tcp://${host}:${values.target}` }),
  messages: () => tidegate({ reads: true }),
  ws: wsRelay,
  'http-proxy': httpProxy,
  httpxy,
};

// An exit of its own accord writes the profile, when there is one to write.
process.on('SIGTERM', () => process.exit());
await kinds[positionals[0]]();
