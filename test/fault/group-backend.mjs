/**
 * Owns a process with one backend that registers itself, to be stopped and killed from outside. Prints its port; its clients get what
 * they send back. Needs the build.
 */
import { ConnectionReceiver, ReceiverServer } from '../../dist/index.js';

const [, , balancer, id, token] = process.argv;

class Echo extends ConnectionReceiver {
  onText(text) {
    this.connection.send(text);
  }
}

const register = { balancer, id, token, advertise: 'auto', reconnect: { initial: 20, max: 100 } };
const server = new ReceiverServer({ listen: '127.0.0.1:0', receiver: () => new Echo(), register });
const [address] = await server.start();
console.log(address.url);
process.stdin.resume();
