/** Owns opening a server of a test on a free port of 127.0.0.1 and closing it after the test. Refuses to know what it serves. */
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { waitForEvent } from '../support/events.js';

/** Listens, and resolves with the port. After the test every connection is cut. */
export async function listenOn(server: Server | HttpServer): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await waitForEvent(server, 'listening');
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
