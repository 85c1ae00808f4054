/**
 * Owns the server that is attacked, in a process of its own: default options, an echo for those who ask for `/`, and for an
 * attacker's paths a target of his own, so that only the proxy is shared. It tells what it counted when it is asked.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    echo: { type: 'string' },
    other: { type: 'string' },
    compression: { type: 'boolean', default: false },
    dist: { type: 'string' },
  },
});
const { accept, ConnectionReceiver, ProxyServer } = await import(pathToFileURL(resolve(values.dist, 'index.js')).href);

class Chooser extends ConnectionReceiver {
  onUpgradeRequest({ path }) {
    return path === '/' ? true : accept({ target: `ws://127.0.0.1:${values.other}${path}` });
  }
}

/** Messages are assembled, and inflated, where somebody looks at them. */
class Reader extends Chooser {
  onText() {}
  onBinary() {}
}

const server = new ProxyServer({
  listen: '127.0.0.1:0',
  target: `ws://127.0.0.1:${values.echo}`,
  receiver: ({ path }) => (path === '/messages' ? new Reader() : new Chooser()),
  ...(values.compression ? { compression: true } : {}),
});

let counts = { opened: 0, refused: {}, ended: {} };
const count = (table, name) => {
  table[name] = (table[name] ?? 0) + 1;
};
server.on('connection', () => {
  counts.opened += 1;
});
server.on('rejected', ({ error }) => count(counts.refused, error));
server.on('disconnected', ({ request }, { cause }) => {
  if (request.path !== '/') count(counts.ended, cause);
});

process.on('message', () => {
  process.send(counts);
  counts = { opened: 0, refused: {}, ended: {} };
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
const [address] = await server.start();
process.send({ port: address.port });
