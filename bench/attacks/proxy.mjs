/**
 * Owns the server that is attacked, in a process of its own: an echo for those who ask for `/`, and for an attacker's paths a target of
 * his own, so that only the proxy is shared. It tells what it counted when it is asked.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    echo: { type: 'string' },
    other: { type: 'string' },
    compression: { type: 'boolean', default: false },
    limits: { type: 'boolean', default: false },
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

/** What an operator sets who knows his clients; everything else is a default. */
const LIMITS = { messagesPerSecond: 1000, floodGrace: '1s', maxMessageBytes: '1MiB', maxConnectionsPerAddress: 1000 };

const server = new ProxyServer({
  // Loopback stands for many clients by default; here each address is one.
  admission: { exempt: ['none'] },
  authentication: { users: { ada: 'a password of this benchmark' }, allowAnonymous: true },
  ...(values.limits ? { limits: LIMITS } : {}),
  listen: '127.0.0.1:0',
  target: `ws://127.0.0.1:${values.echo}`,
  receiver: ({ path }) => (path === '/messages' ? new Reader() : new Chooser()),
  ...(values.compression ? { compression: true } : {}),
});

let counts = { opened: 0, ended: {} };
let before = {};
const count = (table, name) => {
  table[name] = (table[name] ?? 0) + 1;
};
server.on('connection', () => {
  counts.opened += 1;
});
server.on('disconnected', ({ request }, { cause }) => {
  if (request.path !== '/') count(counts.ended, cause);
});

process.on('message', () => {
  // The events are told ten times a second at most; these count all.
  const { byError } = server.snapshot().refused;
  const refused = Object.entries(byError).map(([error, total]) => [error, total - (before[error] ?? 0)]);
  before = { ...byError };
  process.send({ ...counts, refused: Object.fromEntries(refused.filter(([, total]) => total > 0)) });
  counts = { opened: 0, ended: {} };
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
const [address] = await server.start();
process.send({ port: address.port });
