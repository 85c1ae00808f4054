/**
 * Owns a process with a proxy and no listener for `error`, `exception` or anything else, as careless an application as can
 * be. Prints its port; whatever happens to its connections, it must live. Needs the build.
 */
import { ConnectionReceiver, ProxyServer } from '../../dist/index.js';

class Careless extends ConnectionReceiver {
  onUpgradeRequest(request) {
    if (request.path === '/throw') throw new Error('careless decision');
    if (request.path === '/reject') return Promise.reject(new Error('careless promise'));
    return true;
  }

  onText(text) {
    if (text === 'throw') throw new Error('careless message');
    if (text === 'reject') return Promise.reject(new Error('careless promise'));
    return undefined;
  }

  onClosed() {
    throw new Error('careless end');
  }
}

const [, , target] = process.argv;
const receiver = (request) => (request.path === '/frames' ? new ConnectionReceiver() : new Careless());
const proxy = new ProxyServer({ listen: '127.0.0.1:0', target, receiver, timeouts: { close: 500, dial: 500 } });
const [address] = await proxy.start();
console.log(address.port);
process.stdin.resume();
process.stdin.once('end', () => proxy.stop({ drainTimeout: 0 }));
