/**
 * Owns a process with a proxy that can be made to run out of file descriptors. Prints its port, and then each event as it comes,
 * a line of JSON each; a line on its standard input says what to do. Needs the build.
 */
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConnectionReceiver, ProxyServer } from '../../dist/index.js';

const [, , target, interval] = process.argv;
const say = (what) => console.log(JSON.stringify(what));
const proxy = new ProxyServer({
  listen: '127.0.0.1:0',
  target,
  receiver: () => new ConnectionReceiver(),
  watchdog: { interval },
});
for (const name of ['listener.lost', 'listener.restored', 'error', 'rejected']) {
  proxy.on(name, ({ error }) => say({ event: name, error: error?.message ?? error }));
}
const [address] = await proxy.start();
say({ port: address.port });

const held = [];
const verbs = {
  /** Takes every descriptor that there is below the limit. */
  fill() {
    try {
      for (;;) held.push(openSync('/dev/null'));
    } catch (error) {
      say({ filled: error.code });
    }
  },
  empty() {
    for (const descriptor of held.splice(0)) closeSync(descriptor);
    say({ emptied: true });
  },
  cpu: () => say({ cpu: process.cpuUsage().user + process.cpuUsage().system }),
  stop: () => proxy.stop({ drainTimeout: 0 }).then(() => process.exit(0)),
};
createInterface({ input: process.stdin }).on('line', (verb) => verbs[verb]());
