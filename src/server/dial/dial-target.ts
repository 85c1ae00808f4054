/**
 * Owns the way from a target to a connected wire: TCP, TLS or a Unix domain socket.
 * Refuses to speak any protocol over it.
 */

import net from 'node:net';
import tls from 'node:tls';
import type { Wire } from '../wires/wire.js';
import type { WireLayer } from '../wires/wire-layer.js';
import { abortError, dialError } from './dial-error.js';
import type { DialSignal } from './dial-signal.js';
import type { Target } from './target.js';

/** How a target is dialled. */
export interface DialOptions {
  /**
   * Gives up. The reason becomes the error when it is a TidegateError; any other reason is reported as
   * `UPSTREAM_TIMEOUT`. After the dial it has no effect on the socket.
   */
  readonly signal: DialSignal;
  /** Milliseconds of silence before TCP keep-alive probes; 0 sends none. */
  readonly keepAlive: number;
  /** Bytes the socket holds in each direction before it says that it is full. */
  readonly highWaterMark: number;
  /** For `wss:` and `tls:`. The certificate is verified unless `rejectUnauthorized` is false. */
  readonly tls?: tls.ConnectionOptions;
  /** How connections become wires. */
  readonly layer: WireLayer;
}

/**
 * Connects to a target. The wire is not read yet, so that nothing is lost, and the target's FIN leaves our own direction open.
 *
 * @throws TidegateError `UPSTREAM_*`, or the reason of the signal.
 */
export async function dialTarget(target: Target, options: DialOptions): Promise<Wire> {
  const { signal, layer } = options;
  if (signal.aborted) throw abortError(target, signal);
  if (layer.connect === undefined || target.kind === 'unix' || target.secure || target.family === 0) {
    const tap = layer.tap(target.kind !== 'unix' && target.secure);
    return layer.wireOf(await connectSocket(target, options, tap?.onread), options, tap);
  }
  try {
    return await layer.connect(target.host, target.port, options, signal);
  } catch (error) {
    throw signal.aborted ? abortError(target, signal) : dialError(target, error);
  }
}

/** The socket comes back paused, with an `error` listener for good: a reset must never become an uncaught exception. */
function connectSocket(target: Target, options: DialOptions, onread: OnRead): Promise<net.Socket> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    let socket: net.Socket;
    try {
      socket = connect(target, options, onread);
    } catch (error) {
      // Node throws for options it cannot use, such as a CA that is no certificate.
      reject(dialError(target, error));
      return;
    }
    socket.on('error', ignore);
    const connected = target.kind !== 'unix' && target.secure ? 'secureConnect' : 'connect';

    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off(connected, onConnected);
      socket.off('error', onError);
      socket.off('close', onClose);
    };
    const onConnected = (): void => {
      settle();
      socket.pause();
      socket.setNoDelay(true);
      if (options.keepAlive > 0) socket.setKeepAlive(true, options.keepAlive);
      resolve(socket);
    };
    const onError = (error: Error): void => {
      settle();
      socket.destroy();
      reject(dialError(target, error));
    };
    const onClose = (): void => {
      settle();
      reject(dialError(target, new Error('the connection was closed before it was ready')));
    };
    const onAbort = (): void => {
      settle();
      socket.destroy();
      reject(abortError(target, signal));
    };
    socket.once(connected, onConnected);
    socket.once('error', onError);
    socket.once('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

// `highWaterMark` reaches the stream since Node 18.17; the types of Node 20 do not list it for a connecting socket.
type OnRead = net.OnReadOpts | undefined;
type Sized<Options> = Options & { readonly highWaterMark: number };

function connect(target: Target, options: DialOptions, onread: OnRead): net.Socket {
  const { highWaterMark } = options;
  const allowHalfOpen = true;
  if (target.kind === 'unix') {
    const unix: Sized<net.NetConnectOpts> = { path: target.path, highWaterMark, allowHalfOpen, onread };
    return net.connect(unix);
  }
  const { host, port } = target;
  if (!target.secure) {
    const tcp: Sized<net.NetConnectOpts> = { host, port, highWaterMark, allowHalfOpen, onread, autoSelectFamily: true };
    return net.connect(tcp);
  }
  const secure: Sized<tls.ConnectionOptions> &
    Pick<net.TcpNetConnectOpts, 'allowHalfOpen' | 'autoSelectFamily' | 'onread'> = {
    // SNI names hosts only (RFC 6066 section 3); without it Node still verifies an address against the certificate.
    ...(target.family === 0 ? { servername: host } : {}),
    ...options.tls,
    host,
    port,
    highWaterMark,
    allowHalfOpen,
    onread,
    autoSelectFamily: true,
  };
  return tls.connect(secure);
}

function ignore(): void {}
