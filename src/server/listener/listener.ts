/**
 * Owns one listening address and every connection on it up to the end of its request head: deadline, size, and the
 * answer to what is not a handshake. Refuses to judge handshakes: it hands them over with their socket.
 */
import net, { type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import tls, { type TLSSocket, type TlsOptions } from 'node:tls';
import { Chain } from '../../actors/chain.js';
import type { RequestHead } from '../../protocol/http-head.js';
import { describeError, ERRORS, type ErrorCode, httpStatusOf, TidegateError } from '../../receivers/errors.js';
import { writeRefusal } from '../handshake/answer.js';
import { acceptFault, socketFault } from '../watchdog/listening-socket.js';
import type { Wire } from '../wires/wire.js';
import { secureWire, type WireLayer } from '../wires/wire-layer.js';
import { type Guest, type GuestHost, RequestReader } from './guest.js';
import { HandshakeDeadlines } from './handshake-deadlines.js';
import { type BoundAddress, boundAddress, listenError } from './listen-address.js';
import { TlsGuests } from './tls-guests.js';

/** What a connection was refused for before it became a valid request. */
export interface ListenerRefusal {
  readonly error: ErrorCode;
  /** The status that was sent, or would have been if the client had said anything in HTTP. */
  readonly status: number;
  readonly message: string;
  readonly remoteAddress?: string;
  /** Known where TLS failed. */
  readonly remotePort?: number;
}

/** How to listen, and whom to tell. */
export interface ListenerOptions {
  /** Default: every interface. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Listens with TLS. */
  readonly tls?: TlsOptions;
  readonly backlog?: number;
  /** Milliseconds from the accepted connection to the end of the request head, TLS included; 0 for no deadline. */
  readonly handshakeTimeout: number;
  /** The largest request line and headers, in bytes. */
  readonly maxHandshakeBytes: number;
  /** The most header fields. */
  readonly maxHeaderCount: number;
  /** Bytes a plain socket holds in each direction before it says that it is full. Node keeps its default with TLS. */
  readonly highWaterMark: number;
  /** Milliseconds of silence before TCP keep-alive probes; 0 sends none. */
  readonly keepAlive: number;
  /** How connections become wires; with TLS they are always sockets of Node.js. */
  readonly layer: WireLayer;
  /**
   * Called once for each request. The wire is not read, and from here on the callee's; it holds every byte after the head.
   * `waited` milliseconds its head took from the first byte on. Must not throw.
   */
  onRequest(head: RequestHead, wire: Wire, waited: number): void;
  /** Called once for each connection that was refused here; its answer is on its way. Must not throw. */
  onRefused(info: ListenerRefusal): void;
  /**
   * Called once when the listening socket is of no use any more and nobody closed it; what is connected lives on. With `shortage`
   * it was given up because the process has no room for a connection, so that to open it again at once is of no use. Must not throw.
   */
  onLost(error: TidegateError, shortage: boolean): void;
}

/** Listens on one address. May be bound again after it was closed. */
export class Listener implements GuestHost {
  readonly maxHandshakeBytes: number;
  readonly maxHeaderCount: number;
  readonly #options: ListenerOptions;
  readonly #deadlines: HandshakeDeadlines<Guest>;
  readonly #tlsGuests: TlsGuests;
  readonly #wires = new Chain<Wire>();
  #emptied: (() => void) | undefined;
  #server: net.Server | undefined;
  #bound: BoundAddress | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.maxHandshakeBytes = options.maxHandshakeBytes;
    this.maxHeaderCount = options.maxHeaderCount;
    this.#deadlines = new HandshakeDeadlines(options.handshakeTimeout, (guest) => this.#expire(guest));
    this.#tlsGuests = new TlsGuests((guest) => this.#deadlines.delete(guest));
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
    const { backlog, tls: secure, layer } = this.#options;
    try {
      const server = this.#createServer();
      this.#server = server;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.once('close', () => {
          reject(new Error('it was closed meanwhile'));
          this.#lose(server, 'it was closed');
        });
        server.listen({ host, port, backlog }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      server.on('error', (error: NodeJS.ErrnoException) => this.#failed(server, error));
      if (secure === undefined) {
        layer.accept(server, this.#options, { opened: (wire) => this.#await(wire), gone: (wire) => this.#gone(wire) });
      }
      return boundAddress(addressOf(server), secure !== undefined);
    } catch (error) {
      this.#server = undefined;
      throw listenError(error, host, port);
    }
  }

  /** Stops listening, and cuts every connection whose request is awaited. Those that arrived live on. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.close();
    for (const guest of this.#deadlines.clear()) guest.terminate();
    await this.#tlsGuests.terminateAll();
    // Handles close at the end of a turn of the event loop, after its immediates; then the address is free.
    await setImmediate();
    await setImmediate();
  }

  /** Cuts every connection that came in here and is still there; resolves when all are gone. */
  async terminateAll(): Promise<void> {
    if (this.#wires.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const wire of this.#wires) wire.terminate();
    await emptied;
  }

  // What the guests tell.

  arrived(reader: RequestReader, head: RequestHead): void {
    this.#deadlines.delete(reader.guest);
    this.#options.onRequest(head, reader.wire, reader.waited);
  }

  refused(reader: RequestReader, error: ErrorCode, message: string): void {
    this.#deadlines.delete(reader.guest);
    writeRefusal(reader.wire, { status: httpStatusOf(error), body: `${ERRORS[error].help}\n` });
    this.#report(error, message, reader.remoteAddress);
  }

  left(reader: RequestReader): void {
    this.#deadlines.delete(reader.guest);
    reader.wire.terminate();
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

  #createServer(): net.Server {
    const { tls: secure, highWaterMark, keepAlive } = this.#options;
    const options: net.ServerOpts = {
      // Each side ends its own direction: a client may have said its last word and still listen.
      allowHalfOpen: true,
      pauseOnConnect: secure === undefined,
      highWaterMark,
      noDelay: true,
      keepAlive: keepAlive > 0,
      keepAliveInitialDelay: keepAlive,
    };
    if (secure === undefined) return net.createServer(options);
    // What a browser that could speak HTTP/2 has to be told.
    const server = tls.createServer({ ALPNProtocols: ['http/1.1'], ...secure, ...options });
    server.on('connection', (raw: Socket) => this.#deadlines.add(this.#tlsGuests.admit(raw)));
    server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket));
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      const { remoteAddress = '', remotePort } = socket;
      socket.destroy();
      this.#report('BAD_HANDSHAKE', `the TLS handshake failed: ${error.message}`, remoteAddress, remotePort);
    });
    return server;
  }

  #secured(socket: TLSSocket): void {
    const wire = secureWire(socket, this.#options, (gone) => this.#gone(gone));
    const guest = this.#tlsGuests.secured(socket);
    if (guest === undefined) wire.terminate();
    else this.#await(wire, guest);
  }

  /** Waits for the request of a connection. */
  #await(wire: Wire, guest?: Guest & { reader: RequestReader | undefined }): void {
    this.#wires.add(wire);
    const reader = new RequestReader(wire, this, guest);
    if (guest === undefined) this.#deadlines.add(reader);
    else guest.reader = reader;
    reader.start();
  }

  #gone(wire: Wire): void {
    this.#wires.delete(wire);
    if (this.#wires.size === 0) this.#emptied?.();
  }

  #expire(guest: Guest): void {
    const { reader, remoteAddress } = guest;
    const { handshakeTimeout } = this.#options;
    if (reader !== undefined && reader.received > 0) {
      reader.stop();
      this.refused(reader, 'HANDSHAKE_TIMEOUT', `the request head did not end within ${handshakeTimeout} ms`);
      return;
    }
    // Browsers open connections ahead of need. An answer to no question would be taken for that of the next one.
    guest.terminate();
    const what = reader === undefined ? 'the TLS handshake did not finish' : 'nothing was sent';
    this.#report('HANDSHAKE_TIMEOUT', `${what} within ${handshakeTimeout} ms`, remoteAddress);
  }

  #report(error: ErrorCode, message: string, remoteAddress: string, remotePort?: number): void {
    this.#options.onRefused({ error, status: httpStatusOf(error), message, remoteAddress, remotePort });
  }
}

function addressOf(server: net.Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no network address');
  return address;
}
