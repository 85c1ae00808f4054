/**
 * Owns the way from a target to a connected wire: TCP, TLS or a Unix domain socket, straight, through a proxy, or as the application
 * connects. Refuses to speak the protocol of the target over it.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, TLSSocket } from 'node:tls';
import { TidegateError } from '../../receivers/errors.js';
import { SocketWire } from '../wires/socket-wire.js';
import { StreamWire } from '../wires/stream-wire.js';
import type { Wire } from '../wires/wire.js';
import { secureWire, type WireLayer } from '../wires/wire-layer.js';
import { raceAddresses } from './address-race.js';
import { connectByHook } from './connect-hook.js';
import { connectSocket, secure } from './connect-socket.js';
import { abortError, dialError } from './dial-error.js';
import type { ConnectHook, LookupHook } from './dial-hooks.js';
import { type DialProxy, openTunnel, tlsToProxy } from './dial-proxy.js';
import type { DialSignal } from './dial-signal.js';
import type { Target, UnixTarget } from './target.js';
import { addressesOf } from './target-addresses.js';
import type { TargetGuard } from './target-guard.js';
import { TlsSessions } from './tls-sessions.js';

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
  readonly tls?: ConnectionOptions | undefined;
  /** The same, with what connections share; it wins over `tls`. */
  readonly sessions?: TlsSessions | undefined;
  /** How connections become wires. */
  readonly layer: WireLayer;
  /** Milliseconds until the next address of a name is tried beside the first. */
  readonly attemptDelay?: number | undefined;
  readonly lookup?: LookupHook | undefined;
  /** Judges the target and its addresses; undefined for a target that the operator chose. */
  readonly guard?: TargetGuard | undefined;
  /** The proxy that this target is dialled through, if it is. */
  readonly proxyFor?: ((target: NetworkTarget) => DialProxy | undefined) | undefined;
  readonly connect?: ConnectHook | undefined;
  /** Sent before everything else, also before TLS. */
  readonly preamble?: Buffer | undefined;
}

type NetworkTarget = Exclude<Target, UnixTarget>;

/** RFC 8305 section 8. */
const ATTEMPT_DELAY = 250;

/**
 * Connects to a target. The wire is not read yet, so that nothing is lost, and the target's FIN leaves our own direction open.
 *
 * @throws TidegateError `UPSTREAM_*`, `TARGET_DENIED`, or the reason of the signal.
 */
export async function dialTarget(target: Target, options: DialOptions): Promise<Wire> {
  const { signal } = options;
  if (signal.aborted) throw abortError(target, signal);
  try {
    options.guard?.checkTarget(target);
    const own = options.connect === undefined ? undefined : await dialByHook(target, options, options.connect);
    return own ?? (await dial(target, options));
  } catch (error) {
    throw signal.aborted ? abortError(target, signal) : dialError(target, error);
  }
}

async function dialByHook(target: Target, options: DialOptions, connect: ConnectHook): Promise<Wire | undefined> {
  const { signal, preamble, highWaterMark } = options;
  const stream = await connectByHook(connect, target, signal);
  if (stream === undefined) return undefined;
  if (stream instanceof Socket) stream.setNoDelay(true).setKeepAlive(options.keepAlive > 0, options.keepAlive);
  if (preamble !== undefined) stream.write(preamble);
  const isSecure = target.kind !== 'unix' && target.secure;
  if (isSecure && !(stream instanceof TLSSocket)) return secureOver(stream, target, options);
  return stream instanceof Socket ? new SocketWire(stream, highWaterMark) : new StreamWire(stream);
}

async function dial(target: Target, options: DialOptions): Promise<Wire> {
  const { layer, preamble, signal } = options;
  if (target.kind === 'unix') {
    const tap = layer.tap();
    const socket = await connectSocket({ path: target.path }, options, signal, tap?.onread);
    return greeted(layer.wireOf(socket, options, tap), preamble);
  }
  const proxy = options.proxyFor?.(target);
  if (proxy === undefined && !target.secure) return greeted(await dialPlain(target, options), preamble);
  const stream = proxy === undefined ? await dialStream(target, options) : await dialThrough(proxy, target, options);
  if (preamble !== undefined) stream.write(preamble);
  if (target.secure) return secureOver(stream, target, options);
  // A TLS socket here is one to the proxy.
  return stream instanceof TLSSocket ? secureWire(stream, options) : layer.wireOf(stream, options);
}

/** Straight to a wire, without a stream where the layer needs none. */
async function dialPlain(target: NetworkTarget, options: DialOptions): Promise<Wire> {
  const { layer, signal, attemptDelay = ATTEMPT_DELAY } = options;
  const { port } = target;
  return raceAddresses<Wire>({
    addresses: target.family === 0 ? await addressesOf(target, options) : [target.host],
    delay: attemptDelay,
    signal,
    attempt: async (address, abort) => {
      if (layer.connect !== undefined) return layer.connect(address, port, options, abort);
      const tap = layer.tap();
      const socket = await connectSocket({ host: address, port }, options, abort, tap?.onread);
      return layer.wireOf(socket, options, tap);
    },
    discard: (wire) => wire.terminate(),
  });
}

async function dialStream(target: NetworkTarget, options: DialOptions): Promise<Socket> {
  const { signal, attemptDelay = ATTEMPT_DELAY } = options;
  return raceAddresses({
    addresses: await addressesOf(target, options),
    delay: attemptDelay,
    signal,
    attempt: (host, abort) => connectSocket({ host, port: target.port }, options, abort),
    discard: (socket) => socket.destroy(),
  });
}

async function dialThrough(proxy: DialProxy, target: NetworkTarget, options: DialOptions): Promise<Socket> {
  const { signal, guard, attemptDelay = ATTEMPT_DELAY } = options;
  if (proxy.resolvesNames) guard?.checkUnresolved(target);
  return raceAddresses({
    addresses: proxy.resolvesNames ? [target.host] : await addressesOf(target, options),
    delay: attemptDelay,
    signal,
    attempt: async (host, abort) => {
      try {
        return await tunnelTo({ host, port: target.port }, proxy, { ...options, signal: abort });
      } catch (error) {
        if (abort.aborted) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new TidegateError(
          'UPSTREAM_PROXY_FAILED',
          `cannot reach ${target.href} through ${proxy.href}: ${reason}`,
          { cause: error },
        );
      }
    },
    discard: (socket) => socket.destroy(),
  });
}

async function tunnelTo(to: { host: string; port: number }, proxy: DialProxy, options: DialOptions): Promise<Socket> {
  const { signal } = options;
  // The operator chose the proxy: it may be anywhere.
  let socket = await dialStream(proxy.target, { ...options, guard: undefined });
  if (proxy.target.secure) socket = await secure(socket, tlsToProxy(proxy, options.tls?.ca), signal);
  await openTunnel(proxy, socket, to, signal);
  return socket;
}

async function secureOver(stream: Duplex, target: NetworkTarget, options: DialOptions): Promise<Wire> {
  const sessions = options.sessions ?? new TlsSessions(options.tls ?? {});
  const given = sessions.optionsFor(target);
  const socket = await secure(stream, given, options.signal);
  sessions.watch(target, socket);
  return secureWire(socket, options);
}

function greeted(wire: Wire, preamble: Buffer | undefined): Wire {
  if (preamble !== undefined) wire.write(preamble);
  return wire;
}
