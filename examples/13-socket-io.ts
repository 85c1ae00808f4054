/**
 * Socket.IO behind a load balancer. A client begins with long-polling, which is one plain request after the other, and then goes over to a
 * WebSocket; every one of them has to reach the server that knows its session. The balancer forwards both, and a cookie leads back.
 * In a project of your own: `npm install socket.io`.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { LoadBalancer } from 'tidegate';

/** A Socket.IO server as it is without a balancer; nothing in it knows of one. */
export async function startServer(name: string): Promise<{ io: Server; url: string }> {
  const http = createServer();
  const io = new Server(http);
  io.on('connection', (socket) => {
    socket.emit('welcome', name);
    socket.on('say', (text: string, reply: (answer: string) => void) => reply(`${name} heard ${text}`));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return { io, url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

export async function start(port: number, servers: Readonly<Record<string, string>>): Promise<LoadBalancer> {
  const balancer = new LoadBalancer({
    listen: `127.0.0.1:${port}`,
    backends: Object.entries(servers).map(([id, url]) => ({ id, url })),
    policy: 'round-robin',
    // Set with the first answer. Signed, so that nobody chooses a server; with a secret of your own it outlives a restart.
    affinity: { by: 'cookie', cookieName: 'server' },
  });
  await balancer.start();
  return balancer;
}

if (process.argv[1] === import.meta.filename) {
  const [ada, bob] = [await startServer('ada'), await startServer('bob')];
  const balancer = await start(Number(process.env.PORT ?? 8080), { ada: ada.url, bob: bob.url });
  console.log(
    `${balancer.addresses[0]?.url} is two Socket.IO servers; connect with io(url, { withCredentials: true })`,
  );
}
