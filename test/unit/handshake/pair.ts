/** Owns a connected pair of sockets for tests, closed when the test is over. */
import { once } from 'node:events';
import net from 'node:net';
import { onTestFinished } from 'vitest';

/** The two ends of one TCP connection. */
export interface SocketPair {
  readonly server: net.Socket;
  readonly client: net.Socket;
}

/** Connects two sockets over 127.0.0.1. */
export async function socketPair(options: net.ServerOpts = {}): Promise<SocketPair> {
  const listener = net.createServer(options).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const accepted = new Promise<net.Socket>((resolve) => listener.once('connection', resolve));
  const client = net.connect(address.port, '127.0.0.1');
  client.on('error', () => {});
  const server = await accepted;
  onTestFinished(async () => {
    client.destroy();
    server.destroy();
    await new Promise((resolve) => listener.close(resolve));
  });
  return { server, client };
}

/** Reads everything up to the end. */
export async function readAll(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** Waits for the end of a socket, however it comes. */
export function closed(socket: net.Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}
