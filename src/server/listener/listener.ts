/**
 * Owns one listening address and every connection on it up to the end of its request head: deadline, size, and the
 * answer to what is not a handshake. Refuses to judge handshakes: it hands them over with their socket.
 */
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { ERRORS, type ErrorCode, httpStatusOf, TidegateError } from '../../receivers/errors.js';
import { writeRefusal } from '../handshake/answer.js';
import { plainAddress } from '../handshake/plain-address.js';
import { type Guest, Guests } from './guests.js';
import { HandshakeDeadlines } from './handshake-deadlines.js';
import { type BoundAddress, boundAddress, listenError } from './listen-address.js';

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
  readonly tls?: TlsOptions;
  readonly backlog?: number;
  /** Milliseconds from the accepted connection to the end of the request head, TLS included; 0 for no deadline. */
  readonly handshakeTimeout: number;
  /** The largest request line and headers, in bytes. */
  readonly maxHandshakeBytes: number;
  /** Bytes a plain socket holds in each direction before it says that it is full. Node keeps its default with TLS. */
  readonly highWaterMark: number;
  /** Milliseconds of silence before TCP keep-alive probes; 0 sends none. */
  readonly keepAlive: number;
  /**
   * Called once for each request that asks for an upgrade, to whatever protocol. The socket is paused, and from here on
   * the callee's; `head` and then the socket hold every byte after the request head. It has an `error` listener for
   * good. Must not throw.
   */
  onUpgrade(req: http.IncomingMessage, socket: Socket, head: Buffer): void;
  /** Called once for each connection that was refused here; its answer is on its way. Must not throw. */
  onRefused(info: ListenerRefusal): void;
  /** Called for an error of the listening socket after it was bound. Must not throw. */
  onError(error: TidegateError): void;
}

/** Listens on one address. May be bound again after it was closed. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #deadlines: HandshakeDeadlines<Guest>;
  readonly #guests: Guests;
  #server: http.Server | https.Server | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#deadlines = new HandshakeDeadlines(options.handshakeTimeout, (guest) => this.#expire(guest));
    this.#guests = new Guests(options.tls !== undefined, (guest) => this.#deadlines.delete(guest));
  }

  /** Starts listening. @throws TidegateError `ADDRESS_IN_USE` or `LISTEN_FAILED`, also for TLS options Node cannot use. */
  async bind(): Promise<BoundAddress> {
    const { host, port, backlog, tls } = this.#options;
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
      return boundAddress(addressOf(server), tls !== undefined);
    } catch (error) {
      this.#server = undefined;
      throw listenError(error, host, port);
    }
  }

  /**
   * Stops listening, and cuts every connection that has not become an upgrade request. Upgraded ones live on, and are
   * not waited for: Node's own `close` would.
   */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
    this.#deadlines.clear();
    await this.#guests.destroyAll();
    // Handles close at the end of a turn of the event loop, after its immediates; then the address is free.
    await setImmediate();
    await setImmediate();
  }

  #createServer(): http.Server | https.Server {
    const { tls, maxHandshakeBytes, highWaterMark, keepAlive } = this.#options;
    const options: https.ServerOptions = {
      ...tls,
      maxHeaderSize: maxHandshakeBytes,
      highWaterMark,
      noDelay: true,
      keepAlive: keepAlive > 0,
      keepAliveInitialDelay: keepAlive,
      // The deadlines here replace Node's, which miss a client that never sends a byte and are only checked now and then.
      headersTimeout: 0,
      requestTimeout: 0,
      connectionsCheckingInterval: 0x7fffffff,
      // Whether a Host is missing is judged with the rest of the handshake.
      requireHostHeader: false,
    };
    const server = tls === undefined ? http.createServer(options) : https.createServer(options);
    server.timeout = 0;
    // Node drops fields beyond the 2000th without a word; their bytes are bounded already.
    server.maxHeadersCount = 0;
    server.prependListener('connection', (raw: Socket) => this.#admit(raw));
    server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket));
    server.on('upgrade', (req, socket, head) => this.#upgrade(req, socket, head));
    server.on('clientError', (error, socket) => this.#clientError(error, socket));
    for (const event of ['request', 'connect', 'checkExpectation'] as const) {
      server.on(event, (req: http.IncomingMessage) => this.#refuseRequest(req));
    }
    return server;
  }

  #admit(raw: Socket): void {
    raw.on('error', ignore);
    this.#deadlines.add(this.#guests.admit(raw));
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', ignore);
    this.#guests.secured(socket);
  }

  #upgrade(req: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    if (socket !== req.socket) {
      // Node 26 may hand over another stream for a request with a body, which no handshake has.
      this.#refuse(req.socket, 'BAD_HANDSHAKE', 'a handshake has no body');
      return;
    }
    const guest = this.#guests.of(req.socket);
    if (guest !== undefined) {
      this.#deadlines.delete(guest);
      this.#guests.release(guest);
    }
    req.socket.pause();
    this.#options.onUpgrade(req, req.socket, head);
  }

  #refuseRequest(req: http.IncomingMessage): void {
    const { help } = ERRORS.NOT_AN_UPGRADE;
    const message = `${req.method} ${req.url} asks for no upgrade`;
    this.#refuse(req.socket, 'NOT_AN_UPGRADE', message, req.method === 'HEAD' ? '' : `${help}\n`);
    // Unread bytes of a body would turn the end of the connection into a reset.
    req.resume();
  }

  #clientError(error: Error, socket: Duplex): void {
    const code = 'code' in error ? error.code : undefined;
    if (!(socket instanceof Socket)) {
      socket.destroy();
    } else if (socket instanceof TLSSocket && this.#guests.of(socket) === undefined) {
      const { remoteAddress } = socket;
      socket.destroy();
      this.#report('BAD_HANDSHAKE', `the TLS handshake failed: ${error.message}`, remoteAddress);
    } else if (code === 'HPE_HEADER_OVERFLOW') {
      const limit = this.#options.maxHandshakeBytes;
      this.#refuse(socket, 'HANDSHAKE_TOO_BIG', `the request head is larger than ${limit} bytes`);
    } else if (typeof code === 'string' && code.startsWith('HPE_')) {
      this.#refuse(socket, 'BAD_HANDSHAKE', `the request is not HTTP: ${error.message}`);
    } else {
      // The connection broke: there is nobody to answer.
      socket.destroy();
    }
  }

  #expire(guest: Guest): void {
    const { raw, socket, remoteAddress } = guest;
    const { handshakeTimeout } = this.#options;
    if (socket === undefined || (socket === raw && raw.bytesRead === 0)) {
      // Browsers open connections ahead of need. An answer to no question would be taken for that of the next one.
      raw.destroy();
      const what = socket === undefined ? 'the TLS handshake did not finish' : 'nothing was sent';
      this.#report('HANDSHAKE_TIMEOUT', `${what} within ${handshakeTimeout} ms`, remoteAddress);
    } else {
      this.#refuse(socket, 'HANDSHAKE_TIMEOUT', `the request head did not end within ${handshakeTimeout} ms`);
    }
  }

  /** Answers, once; later faults of a connection that was answered are those of a stream nobody reads. */
  #refuse(socket: Socket, error: ErrorCode, message: string, body = `${ERRORS[error].help}\n`): void {
    const guest = this.#guests.of(socket);
    if (guest !== undefined) this.#deadlines.delete(guest);
    if (socket.destroyed || socket.writableEnded) return;
    const remoteAddress = socket.remoteAddress ?? guest?.remoteAddress;
    writeRefusal(socket, { status: httpStatusOf(error), body });
    this.#report(error, message, remoteAddress);
  }

  #report(error: ErrorCode, message: string, remoteAddress: string | undefined): void {
    this.#options.onRefused({
      error,
      status: httpStatusOf(error),
      message,
      remoteAddress: plainAddress(remoteAddress),
    });
  }
}

function addressOf(server: http.Server | https.Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no network address');
  return address;
}

function ignore(): void {}
