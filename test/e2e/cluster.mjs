/**
 * Owns a program with two workers of node:cluster that listen on one port. Prints the port, and ends with its standard input. Needs
 * the build.
 */
import cluster from 'node:cluster';
import { ConnectionReceiver, ReceiverServer } from '../../dist/index.js';

class Named extends ConnectionReceiver {
  onText(text) {
    this.connection.send(`${cluster.worker.id}: ${text}`);
  }
}

if (cluster.isPrimary) {
  const ports = new Set();
  let listening = 0;
  cluster.on('message', (_worker, port) => {
    ports.add(port);
    listening += 1;
    if (listening === 2) console.log([...ports].join());
  });
  cluster.fork();
  cluster.fork();
  process.stdin.resume().on('end', () => cluster.disconnect());
} else {
  const server = new ReceiverServer({ listen: '127.0.0.1:0', receiver: () => new Named() });
  const [address] = await server.start();
  process.send(address.port);
  process.on('disconnect', () => server.stop({ drainTimeout: 0 }));
}
