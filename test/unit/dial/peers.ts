/** Owns the peers that dialling tests talk to: small servers on a free port, closed with everything they accepted. */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { onTestFinished } from 'vitest';

/** A server with the sockets it accepted. */
export interface Peer {
  readonly port: number;
  readonly sockets: ReadonlySet<net.Socket>;
}

/** Listens on 127.0.0.1 (or another address, or a socket file) until the test is over. */
export async function startPeer(
  onSocket: (socket: net.Socket) => void,
  options: { tls?: tls.TlsOptions; path?: string; host?: string } = {},
): Promise<Peer> {
  const sockets = new Set<net.Socket>();
  const accept = (socket: net.Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  };
  const server = options.tls === undefined ? net.createServer(accept) : tls.createServer(options.tls, accept);
  if (options.tls !== undefined) server.on('connection', (raw: net.Socket) => raw.on('error', () => {}));
  server.listen(options.path === undefined ? { port: 0, host: options.host ?? '127.0.0.1' } : { path: options.path });
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, sockets };
}

/** Collects what a socket receives until it holds the text. */
export function readUntil(socket: net.Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const onData = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      if (!received.includes(text)) return;
      socket.off('data', onData);
      socket.pause();
      resolve(received);
    };
    socket.on('data', onData);
    socket.once('close', () => reject(new Error(`closed before ${JSON.stringify(text)}, after ${received}`)));
    socket.resume();
  });
}

/** Waits for the end of a socket, however it comes. */
export function closed(socket: net.Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}
