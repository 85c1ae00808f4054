/**
 * Owns one listening address: binding it, closing it, and the socket options of what comes in. Refuses to look at a connection: its
 * way to a request is that of the arrivals.
 */
import net, { type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { TlsListening } from '../tls/tls-listening.js';
import { acceptFault, socketFault } from '../watchdog/listening-socket.js';
import type { WireObserver } from '../wires/wire-layer.js';
import { Arrivals } from './arrivals.js';
import { type BoundAddress, boundAddress, listenError } from './listen-address.js';
import type { ListenerOptions } from './listener-options.js';

/** Listens on one address. May be bound again after it was closed. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #arrivals: Arrivals;
  readonly #observer: WireObserver;
  #server: net.Server | undefined;
  #bound: BoundAddress | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const arrivals = new Arrivals(options);
    this.#arrivals = arrivals;
    this.#observer = { opened: (wire) => arrivals.opened(wire), gone: (wire) => arrivals.gone(wire) };
  }

  /** Starts listening. @throws TidegateError `ADDRESS_IN_USE` or `LISTEN_FAILED`, also for TLS options Node cannot use. */
  async bind(): Promise<BoundAddress> {
    const { host, port } = this.#options;
    if (this.#server !== undefined) throw new TidegateError('ALREADY_STARTED', 'this listener is bound already');
    this.#bound = await this.#open(host, port);
    return this.#bound;
  }

  /**
   * Opens the address that was bound once more, on a new socket, whatever became of the old one. What is connected is not
   * touched. @throws TidegateError as `bind` does.
   */
  async reopen(): Promise<void> {
    const { host, port } = this.#bound ?? this.#options;
    const old = this.#server;
    this.#server = undefined;
    old?.close();
    this.#releaseTls();
    await this.#open(host, port);
  }

  /** Finds out whether the listening socket died without a word, or gives it up for a shortage; then `onLost` is called. */
  inspect(shortage?: string): void {
    if (this.#server === undefined || this.#bound === undefined) return;
    const fault = socketFault(this.#server, this.#bound);
    if (shortage !== undefined) this.#lose(this.#server, shortage, { shortage: true });
    else if (fault !== undefined) this.#lose(this.#server, fault.message, fault);
  }

  async #open(host: string | undefined, port: number): Promise<BoundAddress> {
    const { backlog, exclusive, ipv6Only, tls: secure, layer } = this.#options;
    try {
      const server = this.#createServer();
      this.#server = server;
      this.#closing = undefined;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.once('close', () => {
          reject(new Error('it was closed meanwhile'));
          this.#lose(server, 'it was closed');
        });
        server.listen({ host, port, backlog, exclusive, ipv6Only, ...this.#sharing() }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      server.on('error', (error: NodeJS.ErrnoException) => this.#failed(server, error));
      if (!(server instanceof TlsServer)) layer.accept(server, this.#options, this.#observer);
      return boundAddress(addressOf(server), secure !== undefined);
    } catch (error) {
      this.#server = undefined;
      throw listenError(error, host, port);
    }
  }

  /** Stops listening, and cuts every connection whose request is awaited. Those that arrived live on. */
  close(): Promise<void> {
    const server = this.#server;
    // Whoever asks again waits for the same end.
    if (server === undefined && this.#closing !== undefined) return this.#closing;
    this.#server = undefined;
    this.#closing = this.#close(server);
    return this.#closing;
  }

  async #close(server: net.Server | undefined): Promise<void> {
    server?.close();
    this.#releaseTls();
    await this.#arrivals.close();
    // Handles close at the end of a turn of the event loop, after its immediates; then the address is free.
    await setImmediate();
    await setImmediate();
  }

  /** Cuts every connection that came in here and is still there; resolves when all are gone. */
  terminateAll(): Promise<void> {
    return this.#arrivals.terminateAll();
  }

  /** An accept failed. libuv tries again at once and for ever where that is for want of room: only closing the socket ends it. */
  #failed(server: net.Server, error: NodeJS.ErrnoException): void {
    const fault = acceptFault(error.code ?? '');
    if (fault !== 'connection') this.#lose(server, describeError(error), { shortage: fault === 'shortage' });
  }

  #lose(server: net.Server, why: string, { foreign = false, shortage = false } = {}): void {
    if (this.#server !== server || this.#bound === undefined) return;
    this.#server = undefined;
    if (foreign) server.unref();
    else server.close();
    const { url } = this.#bound;
    this.#options.onLost(new TidegateError('LISTENER_LOST', `the listener at ${url} is lost: ${why}`), shortage);
  }

  /** A server for TLS that does not listen is never closed. */
  #releaseTls(): void {
    if (this.#arrivals.tls !== undefined) this.#options.tls?.release();
    this.#arrivals.tls = undefined;
  }

  /** The server that listens: one for TLS where nothing comes before TLS, else a plain one. */
  #createServer(): net.Server {
    const { tls: secure, plain = false, proxyProtocol = 'off' } = this.#options;
    if (secure !== undefined && !plain && proxyProtocol === 'off') {
      const server = this.#createTlsServer(secure);
      // Node.js begins with TLS in a handler of this event: only for those who are let in.
      const begin = server.listeners('connection');
      server.removeAllListeners('connection');
      server.on('connection', (raw: Socket) => {
        this.#arrivals.securing(raw, () => {
          for (const handler of begin) handler.call(server, raw);
        });
      });
      return server;
    }
    if (secure !== undefined) this.#arrivals.tls = this.#createTlsServer(secure);
    return net.createServer(this.#socketOptions());
  }

  #createTlsServer(secure: TlsListening): TlsServer {
    // Until TLS stands there is no half of a connection: whoever ends its direction has left, and is not to be waited for.
    const server = secure.createServer({ ...this.#socketOptions(), allowHalfOpen: false });
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.allowHalfOpen = true;
      secure.admit(socket, (denial) => this.#arrivals.secured(socket, denial));
    });
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => this.#arrivals.tlsFailed(error, socket));
    return server;
  }

  #socketOptions(): net.ServerOpts {
    const { highWaterMark, keepAlive, noDelay = true } = this.#options;
    return {
      // Each side ends its own direction: a client may have said its last word and still listen.
      allowHalfOpen: true,
      // Nothing is read before it is clear that anything will be.
      pauseOnConnect: true,
      highWaterMark,
      noDelay,
      keepAlive: keepAlive > 0,
      keepAliveInitialDelay: keepAlive,
    };
  }

  /** Unknown to the types of this Node.js, and to older ones at all: they would ignore it. */
  #sharing(): { reusePort?: boolean } {
    if (this.#options.reusePort !== true) return {};
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    if (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)) return { reusePort: true };
    throw new Error(`reusePort needs Node.js 22.12 or 23.1, and this is ${process.version}`);
  }
}

function addressOf(server: net.Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no network address');
  return address;
}
