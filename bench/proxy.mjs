/**
 * Owns one proxy in a process of its own: `node bench/proxy.mjs <kind> <target port> [<dist folder>]`. Tells its port, and
 * its use of CPU and memory.
 */
import { createServer } from 'node:http';
import { resolve as resolvePath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(new URL('../dist', import.meta.url));
const [kind, targetPort, dist = here] = process.argv.slice(2);
const { ConnectionReceiver, ProxyServer } = await import(pathToFileURL(resolvePath(dist, 'index.js')).href);
const target = `ws://127.0.0.1:${targetPort}`;

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

async function tidegate(options) {
  const server = new ProxyServer({ listen: '127.0.0.1:0', ...options });
  const [address] = await server.start();
  return address.port;
}

/** The relay that everybody writes first: message events of `ws` on both sides. */
async function plainWs() {
  const { WebSocket, WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
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
  await new Promise((resolve) => server.once('listening', resolve));
  return server.address().port;
}

async function httpProxy() {
  const { default: library } = await import('http-proxy');
  const proxy = library.createProxyServer({ target, ws: true });
  proxy.on('error', (_error, _request, socket) => socket.destroy());
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    proxy.ws(request, socket, head);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return server.address().port;
}

const kinds = {
  frames: () => tidegate({ target }),
  stream: () => tidegate({ target: `tcp://127.0.0.1:${targetPort}` }),
  messages: () => tidegate({ target, receiver: () => new Reader() }),
  ws: plainWs,
  'http-proxy': httpProxy,
};

const port = await kinds[kind]();
process.on('message', ({ id }) => {
  const { user, system } = process.cpuUsage();
  process.send({ id, result: { cpu: (user + system) / 1e6, rss: process.memoryUsage.rss() } });
});
// An exit of its own accord writes the profile, when there is one to write.
process.on('disconnect', () => process.exit());
process.send({ ready: true, port });
