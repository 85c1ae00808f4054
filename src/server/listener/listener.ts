/**
 * Owns one listening address and every connection on it up to the end of its request head: deadline, size, and the
 * answer to what is not a handshake. Refuses to judge handshakes: it hands them over with their socket.
 */
import net, { type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import tls, { type TLSSocket, type TlsOptions } from 'node:tls';
import { Chain } from '../../actors/chain.js';
import type { RequestHead } from '../../protocol/http-head.js';
import { ERRORS, type ErrorCode, httpStatusOf, TidegateError } from '../../receivers/errors.js';
import type { Pass } from '../admission/pass.js';
import type { Peer } from '../admission/policy.js';
import type { ListenerRole } from '../config/listen.js';
import { writeRefusal } from '../handshake/answer.js';
import { plainAddress } from '../wires/plain-address.js';
import type { Wire } from '../wires/wire.js';
import { secureWire, type WireLayer } from '../wires/wire-layer.js';
import { type Guest, type GuestHost, RequestReader } from './guest.js';
import { type BoundAddress, boundAddress, listenError } from './listen-address.js';
import { Lobby } from './lobby.js';
import { TlsGuests } from './tls-guests.js';

/** What a connection was refused for before it became a valid request. */
export interface ListenerRefusal {
  readonly error: ErrorCode;
  /** The status that was sent, or would have been if the client had said anything in HTTP. */
  readonly status: number;
  readonly message: string;
  readonly remoteAddress?: string;
  /** It had sent nothing, as browsers do that connect ahead of need. */
  readonly isSilent?: boolean;
}

/** How to listen, and whom to tell. */
export interface ListenerOptions {
  /** Default: every interface. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Listens with TLS. */
  readonly tls?: TlsOptions;
  readonly backlog?: number | undefined;
  readonly exclusive?: boolean | undefined;
  readonly reusePort?: boolean | undefined;
  readonly ipv6Only?: boolean | undefined;
  /** Whether small writes leave at once. Default: true. */
  readonly noDelay?: boolean | undefined;
  /** What connects here. Default: `client`. */
  readonly role?: ListenerRole | undefined;
  /** How many connections may be waiting for their request; one more cuts the oldest. Default: 0, any number. */
  readonly maxPendingHandshakes?: number | undefined;
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
  /** Decides about each accepted connection, before anything of it is read. Default: all are let in. */
  arrive?(peer: Peer, role: ListenerRole): Pass;
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
  readonly #lobby: Lobby;
  readonly #tlsGuests: TlsGuests;
  readonly #wires = new Chain<Wire>();
  #emptied: (() => void) | undefined;
  #server: net.Server | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.maxHandshakeBytes = options.maxHandshakeBytes;
    this.#lobby = new Lobby({
      handshakeTimeout: options.handshakeTimeout,
      maxPendingHandshakes: options.maxPendingHandshakes ?? 0,
      expired: (guest) => this.#expire(guest),
      cut: (guest, error, message) => this.#report(error, message, guest.remoteAddress),
    });
    this.#tlsGuests = new TlsGuests((guest) => this.#lobby.delete(guest));
  }

  /** Starts listening. @throws TidegateError `ADDRESS_IN_USE` or `LISTEN_FAILED`, also for TLS options Node cannot use. */
  async bind(): Promise<BoundAddress> {
    const { host, port, backlog, exclusive, ipv6Only, tls: secure, layer } = this.#options;
    if (this.#server !== undefined) throw new TidegateError('ALREADY_STARTED', 'this listener is bound already');
    try {
      const server = this.#createServer();
      this.#server = server;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.once('close', () => reject(new Error('it was closed meanwhile')));
        server.listen({ host, port, backlog, exclusive, ipv6Only, ...this.#sharing() }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      server.on('error', (error) => this.#options.onError(listenError(error, host, port)));
      if (secure === undefined) {
        layer.accept(server, this.#options, { opened: (wire) => this.#accept(wire), gone: (wire) => this.#gone(wire) });
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
    // Whoever asks again waits for the same end.
    if (server === undefined) return this.#closing;
    this.#server = undefined;
    this.#closing = this.#close(server);
    return this.#closing;
  }

  async #close(server: net.Server): Promise<void> {
    server.close();
    this.#lobby.terminateAll();
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
    this.#lobby.delete(reader.guest);
    this.#options.onRequest(head, reader.wire);
  }

  refused(reader: RequestReader, error: ErrorCode, message: string): void {
    this.#lobby.delete(reader.guest);
    writeRefusal(reader.wire, { status: httpStatusOf(error), body: `${ERRORS[error].help}\n` });
    this.#report(error, message, reader.remoteAddress);
  }

  left(reader: RequestReader): void {
    this.#lobby.delete(reader.guest);
    reader.wire.terminate();
  }

  #createServer(): net.Server {
    const { tls: secure, highWaterMark, keepAlive, noDelay = true } = this.#options;
    const options: net.ServerOpts = {
      // Each side ends its own direction: a client may have said its last word and still listen.
      allowHalfOpen: true,
      // Nothing is read before it is clear that anything will be.
      pauseOnConnect: true,
      highWaterMark,
      noDelay,
      keepAlive: keepAlive > 0,
      keepAliveInitialDelay: keepAlive,
    };
    if (secure === undefined) return net.createServer(options);
    // What a browser that could speak HTTP/2 has to be told.
    const server = tls.createServer({ ALPNProtocols: ['http/1.1'], ...secure, ...options });
    // Node.js begins with TLS in a handler of this event: only for those who are let in.
    const begin = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (raw: Socket) => {
      this.#acceptSecure(raw, () => {
        for (const handler of begin) handler.call(server, raw);
      });
    });
    server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket));
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      const { remoteAddress = '' } = socket;
      socket.destroy();
      if (this.#tlsGuests.failed(error))
        this.#report('BAD_HANDSHAKE', `the TLS handshake failed: ${error.message}`, remoteAddress);
    });
    return server;
  }

  #accept(wire: Wire): void {
    this.#wires.add(wire);
    wire.pass = this.#options.arrive?.(wire.addresses, this.#options.role ?? 'client');
    const reader = new RequestReader(wire, this);
    this.#lobby.admit(reader, () => reader.start());
  }

  #acceptSecure(raw: Socket, begin: () => void): void {
    const guest = this.#tlsGuests.admit(raw);
    guest.pass = this.#options.arrive?.(peerOf(raw), this.#options.role ?? 'client');
    this.#lobby.admit(guest, () => {
      guest.begun = true;
      begin();
    });
  }

  #secured(socket: TLSSocket): void {
    const wire = secureWire(socket, this.#options, (gone) => this.#gone(gone));
    const guest = this.#tlsGuests.secured(socket);
    if (guest === undefined) wire.terminate();
    else {
      wire.pass = guest.pass;
      this.#wires.add(wire);
      guest.reader = new RequestReader(wire, this, guest);
      guest.reader.start();
    }
  }

  #gone(wire: Wire): void {
    this.#wires.delete(wire);
    wire.pass?.release();
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
    this.#report('HANDSHAKE_TIMEOUT', `${what} within ${handshakeTimeout} ms`, remoteAddress, true);
  }

  /** Unknown to the types of this Node.js, and to older ones at all: they would ignore it. */
  #sharing(): { reusePort?: boolean } {
    if (this.#options.reusePort !== true) return {};
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    if (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)) return { reusePort: true };
    throw new Error(`reusePort needs Node.js 22.12 or 23.1, and this is ${process.version}`);
  }

  #report(error: ErrorCode, message: string, remoteAddress: string, isSilent = false): void {
    this.#options.onRefused({ error, status: httpStatusOf(error), message, remoteAddress, isSilent });
  }
}

function addressOf(server: net.Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no network address');
  return address;
}

function peerOf({ remoteAddress, remotePort = 0, localAddress, localPort = 0 }: Socket): Peer {
  return {
    remoteAddress: plainAddress(remoteAddress),
    remotePort,
    localAddress: plainAddress(localAddress),
    localPort,
  };
}
