/**
 * Owns one listening address and every connection on it up to the end of its request head: deadline, size, and the
 * answer to what is not a handshake. Refuses to judge handshakes: it hands them over with their socket.
 */
import net, { type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { Chain } from '../../actors/chain.js';
import type { RequestHead } from '../../protocol/http-head.js';
import { ERRORS, type ErrorCode, httpStatusOf, TidegateError } from '../../receivers/errors.js';
import { writeRefusal } from '../handshake/answer.js';
import type { PeerDenial } from '../tls/peer-verdict.js';
import { describeTlsFailure, LEFT_MIDWAY, plainAnswerTo } from '../tls/tls-failure.js';
import type { TlsListening } from '../tls/tls-listening.js';
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
}

/** How to listen, and whom to tell. */
export interface ListenerOptions {
  /** Default: every interface. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Listens with TLS. */
  readonly tls?: TlsListening | undefined;
  readonly backlog?: number;
  /** Milliseconds from the accepted connection to the end of the request head, TLS included; 0 for no deadline. */
  readonly handshakeTimeout: number;
  /** The largest request line and headers, in bytes. */
  readonly maxHandshakeBytes: number;
  /** Bytes a plain socket holds in each direction before it says that it is full. Node keeps its default with TLS. */
  readonly highWaterMark: number;
  /** Milliseconds of silence before TCP keep-alive probes; 0 sends none. */
  readonly keepAlive: number;
  /** How connections become wires; with TLS they are always sockets of Node.js. */
  readonly layer: WireLayer;
  /**
   * Called once for each request. The wire is not read, and from here on the callee's; it holds every byte after the head.
   * Must not throw.
   */
  onRequest(head: RequestHead, wire: Wire): void;
  /** Called once for each connection that was refused here; its answer is on its way. Must not throw. */
  onRefused(info: ListenerRefusal): void;
  /** Called for an error of the listening socket after it was bound. Must not throw. */
  onError(error: TidegateError): void;
}

/** Listens on one address. May be bound again after it was closed. */
export class Listener implements GuestHost {
  readonly maxHandshakeBytes: number;
  readonly #options: ListenerOptions;
  readonly #deadlines: HandshakeDeadlines<Guest>;
  readonly #tlsGuests: TlsGuests;
  readonly #wires = new Chain<Wire>();
  #emptied: (() => void) | undefined;
  #server: net.Server | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.maxHandshakeBytes = options.maxHandshakeBytes;
    this.#deadlines = new HandshakeDeadlines(options.handshakeTimeout, (guest) => this.#expire(guest));
    this.#tlsGuests = new TlsGuests((guest, midway) => {
      this.#deadlines.delete(guest);
      if (midway) this.#report('BAD_HANDSHAKE', LEFT_MIDWAY, guest.remoteAddress);
    });
  }

  /** Starts listening. @throws TidegateError `ADDRESS_IN_USE` or `LISTEN_FAILED`, also for TLS options Node cannot use. */
  async bind(): Promise<BoundAddress> {
    const { host, port, backlog, tls: secure, layer } = this.#options;
    if (this.#server !== undefined) throw new TidegateError('ALREADY_STARTED', 'this listener is bound already');
    try {
      const server = this.#createServer();
      this.#server = server;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.once('close', () => reject(new Error('it was closed meanwhile')));
        server.listen({ host, port, backlog }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      server.on('error', (error) => this.#options.onError(listenError(error, host, port)));
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
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
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
    this.#options.onRequest(head, reader.wire);
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
    // Until TLS stands there is no half of a connection: whoever ends its direction has left, and is not to be waited for.
    const server = secure.createServer({ ...options, allowHalfOpen: false });
    server.on('connection', (raw: Socket) => this.#deadlines.add(this.#tlsGuests.admit(raw)));
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.allowHalfOpen = true;
      secure.admit(socket, (denial) => this.#secured(socket, denial));
    });
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      const guest = this.#tlsGuests.failed(socket, plainAnswerTo(error));
      if (guest === undefined) return;
      this.#deadlines.delete(guest);
      this.#report('BAD_HANDSHAKE', describeTlsFailure(error), guest.remoteAddress);
    });
    return server;
  }

  #secured(socket: TLSSocket, denial: PeerDenial | undefined): void {
    const wire = secureWire(socket, this.#options, (gone) => this.#gone(gone));
    const guest = this.#tlsGuests.secured(socket);
    if (guest === undefined) {
      wire.terminate();
    } else if (denial === undefined) {
      this.#await(wire, guest);
    } else {
      this.#wires.add(wire);
      this.#deadlines.delete(guest);
      const { error, status, message, answer } = denial;
      writeRefusal(wire, { status, body: `${answer}\n` });
      this.#options.onRefused({ error, status, message, remoteAddress: guest.remoteAddress });
    }
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

  #report(error: ErrorCode, message: string, remoteAddress: string): void {
    this.#options.onRefused({ error, status: httpStatusOf(error), message, remoteAddress });
  }
}

function addressOf(server: net.Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no network address');
  return address;
}
