/** Owns connecting a `net.Socket`, and starting TLS on a stream that is connected. Refuses names, and to judge errors. */
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { SocketSettings } from '../wires/wire.js';
import type { DialSignal } from './dial-signal.js';

// `highWaterMark` reaches the stream since Node 18.17; the types of Node 20 do not list it for a connecting socket.
type Sized<Options> = Options & { readonly highWaterMark: number };

/** Where a socket is connected to: an address, or a socket file. */
export type SocketPlace = { readonly host: string; readonly port: number } | { readonly path: string };

/** Connects to an address or a socket file. Rejects as `net.connect` fails, or with the reason of the signal. */
export function connectSocket(
  place: SocketPlace,
  { keepAlive, highWaterMark }: SocketSettings,
  signal: DialSignal,
  onread?: net.OnReadOpts,
): Promise<net.Socket> {
  const allowHalfOpen = true;
  const connecting: Sized<net.NetConnectOpts> =
    'path' in place
      ? { path: place.path, highWaterMark, allowHalfOpen, onread }
      : { host: place.host, port: place.port, highWaterMark, allowHalfOpen, onread };
  return ready(net.connect(connecting), 'connect', signal, (socket) => {
    socket.setNoDelay(true);
    if (keepAlive > 0) socket.setKeepAlive(true, keepAlive);
  });
}

/** Starts TLS as a client. Rejects as `tls.connect` fails, or with the reason of the signal; the stream below is destroyed then. */
export async function secure(
  stream: Duplex,
  options: tls.ConnectionOptions,
  signal: DialSignal,
): Promise<tls.TLSSocket> {
  // What goes wrong below is told by the TLS socket too.
  stream.on('error', ignore);
  try {
    const wrapped: Sized<tls.ConnectionOptions> = {
      highWaterMark: stream.readableHighWaterMark,
      ...options,
      socket: stream,
    };
    return await ready(tls.connect(wrapped), 'secureConnect', signal);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** The socket comes back paused, with an `error` listener for good: a reset must never become an uncaught exception. */
export function ready<Stream extends net.Socket>(
  socket: Stream,
  event: 'connect' | 'secureConnect',
  signal: DialSignal,
  prepare?: (socket: Stream) => void,
): Promise<Stream> {
  return new Promise((resolve, reject) => {
    socket.on('error', ignore);
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off(event, onReady);
      socket.off('error', fail);
      socket.off('close', onClose);
    };
    const onReady = (): void => {
      settle();
      socket.pause();
      prepare?.(socket);
      resolve(socket);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const onClose = (): void => fail(new Error('the connection was closed before it was ready'));
    const onAbort = (): void => fail(signal.reason);
    socket.once(event, onReady);
    socket.once('error', fail);
    socket.once('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    // It may have come between two steps of a dial, when nobody listened.
    if (signal.aborted) onAbort();
  });
}

function ignore(): void {}
