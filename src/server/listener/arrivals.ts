/**
 * Owns the way of every connection of one listener from the accepted socket to its request, stage by stage: PROXY protocol header, first
 * bytes, TLS, request head; with one deadline for all of it, and an answer to whoever does not get through. Refuses to judge
 * handshakes: it hands them over with their wire.
 */
import type { Socket } from 'node:net';
import type tls from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { Chain } from '../../actors/chain.js';
import type { FirstBytes } from '../../protocol/first-bytes.js';
import type { RequestHead } from '../../protocol/http-head.js';
import { ERRORS, type ErrorCode, httpStatusOf } from '../../receivers/errors.js';
import { writeRefusal } from '../handshake/answer.js';
import { refuseHttp2 } from '../handshake/http2-refusal.js';
import { lingerAndTerminate } from '../handshake/linger.js';
import type { Wire, WireAddresses } from '../wires/wire.js';
import { secureWire } from '../wires/wire-layer.js';
import { type Guest, type GuestHost, PassingGuest, RequestReader } from './guest.js';
import { HandshakeDeadlines } from './handshake-deadlines.js';
import type { ListenerOptions } from './listener-options.js';
import { ProxyHeaderReader } from './proxy-header-reader.js';
import { TlsGuests } from './tls-guests.js';
import { TlsOrPlain } from './tls-or-plain.js';
import { UnknownProtocolQuestion } from './unknown-protocol.js';

/** The connections of one listener until they are requests. */
export class Arrivals implements GuestHost {
  readonly maxHandshakeBytes: number;
  /** Does TLS for connections of which something is read before; it does not listen. */
  tls: tls.Server | undefined;
  readonly #options: ListenerOptions;
  readonly #deadlines: HandshakeDeadlines<Guest>;
  readonly #tlsGuests: TlsGuests;
  readonly #wires = new Chain<Wire>();
  #emptied: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.maxHandshakeBytes = options.maxHandshakeBytes;
    this.#deadlines = new HandshakeDeadlines(options.handshakeTimeout, (guest) => this.#expire(guest));
    this.#tlsGuests = new TlsGuests((guest) => this.#deadlines.delete(guest));
  }

  /** Cuts every connection whose request is awaited. */
  async close(): Promise<void> {
    for (const guest of this.#deadlines.clear()) guest.terminate();
    await this.#tlsGuests.terminateAll();
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

  // The stages, in their order.

  /** A connection was accepted, and nothing read of it. */
  opened(wire: Wire): void {
    this.#wires.add(wire);
    const { protocol, proxyProtocol = 'off' } = this.#options;
    if (proxyProtocol === 'off' && this.tls === undefined) {
      // Nothing comes before the request: the common case, whose bytes are looked at once.
      if (protocol === 'tcp') this.#takeBytes(wire);
      else this.#awaitRequest(wire);
      return;
    }
    const guest = new PassingGuest(wire.addresses.remoteAddress, 'nothing was sent');
    guest.wire = wire;
    this.#deadlines.add(guest);
    if (proxyProtocol === 'off') this.#tellTls(wire, guest);
    else this.#awaitProxyHeader(wire, guest);
  }

  gone(wire: Wire): void {
    this.#wires.delete(wire);
    if (this.#wires.size === 0) this.#emptied?.();
  }

  #awaitProxyHeader(wire: Wire, guest: PassingGuest): void {
    const { proxyProtocol, trusts } = this.#options;
    guest.awaited = 'the PROXY protocol header did not come';
    const trusted = trusts?.(wire.addresses.remoteAddress) ?? false;
    new ProxyHeaderReader(wire, proxyProtocol === 'required', trusted, {
      introduced: (addresses) => this.#introduced(wire, guest, addresses),
      mistrusted: (message) => this.#drop(wire, guest, 'BAD_PROXY_HEADER', message),
      left: () => this.#leave(wire, guest),
    }).start();
  }

  #introduced(wire: Wire, guest: PassingGuest, addresses: WireAddresses | undefined): void {
    if (addresses !== undefined) {
      guest.believed = addresses;
      wire.addresses = addresses;
      const denial = this.#options.onPeerKnown?.(wire);
      if (denial !== undefined) {
        this.#drop(wire, guest, denial.error, denial.message);
        return;
      }
    }
    if (this.tls === undefined) this.#goOn(wire, guest);
    else if (this.#options.plain === true) this.#tellTls(wire, guest);
    else this.#secure(wire, guest);
  }

  #tellTls(wire: Wire, guest: PassingGuest): void {
    guest.awaited = 'nothing was sent';
    const decided = (speaksTls: boolean): void => {
      if (speaksTls) this.#secure(wire, guest);
      else this.#goOn(wire, guest);
    };
    new TlsOrPlain(wire, decided, () => this.#leave(wire, guest)).start();
  }

  #secure(wire: Wire, guest: PassingGuest): void {
    const socket = wire.release();
    if (socket === undefined || this.tls === undefined) {
      this.#leave(wire, guest);
      return;
    }
    this.#tlsGuests.admit(socket, guest);
    this.tls.emit('connection', socket);
  }

  /** A connection was accepted by a server that does TLS itself. */
  securing(raw: Socket): void {
    this.#deadlines.add(this.#tlsGuests.admit(raw));
  }

  secured(socket: TLSSocket): void {
    const wire = secureWire(socket, this.#options, (gone) => this.gone(gone));
    const guest = this.#tlsGuests.secured(socket);
    if (guest === undefined) {
      wire.terminate();
      return;
    }
    if (guest.believed !== undefined) wire.addresses = guest.believed;
    this.#wires.add(wire);
    this.#goOn(wire, guest);
  }

  tlsFailed(error: Error, socket: TLSSocket): void {
    const remoteAddress = this.#tlsGuests.failed(socket)?.remoteAddress ?? socket.remoteAddress ?? '';
    socket.destroy();
    this.#report('BAD_HANDSHAKE', `the TLS handshake failed: ${error.message}`, remoteAddress);
  }

  #goOn(wire: Wire, guest: PassingGuest): void {
    if (this.#options.protocol === 'tcp') this.#takeBytes(wire, guest);
    else this.#awaitRequest(wire, guest);
  }

  #awaitRequest(wire: Wire, guest?: PassingGuest): void {
    const reader = new RequestReader(wire, this, guest);
    if (guest === undefined) this.#deadlines.add(reader);
    else guest.reader = reader;
    reader.start();
  }

  #takeBytes(wire: Wire, guest?: Guest, target?: string): void {
    if (guest !== undefined) this.#deadlines.delete(guest);
    this.#options.onBytes(wire, target);
  }

  // What the request readers tell.

  arrived(reader: RequestReader, head: RequestHead): void {
    this.#deadlines.delete(reader.guest);
    this.#options.onRequest(head, reader.wire);
  }

  refused(reader: RequestReader, error: ErrorCode, message: string): void {
    this.#deadlines.delete(reader.guest);
    writeRefusal(reader.wire, { status: httpStatusOf(error), body: `${ERRORS[error].help}\n` });
    this.#report(error, message, reader.remoteAddress);
  }

  foreign(reader: RequestReader, kind: Exclude<FirstBytes, 'http'>, bytes: Buffer): void {
    switch (kind) {
      case 'http2':
        this.#deadlines.delete(reader.guest);
        refuseHttp2(reader.wire);
        this.#report(
          'NOT_AN_UPGRADE',
          'the client began with HTTP/2; WebSocket is spoken over HTTP/1.1',
          reader.remoteAddress,
        );
        break;
      case 'tls':
        this.refused(reader, 'BAD_HANDSHAKE', 'the client speaks TLS, and this listener does not');
        break;
      case 'proxy':
        this.refused(reader, 'BAD_PROXY_HEADER', 'a PROXY protocol header came where proxyProtocol is off');
        break;
      case 'unknown':
        this.#unknown(reader, bytes);
    }
  }

  left(reader: RequestReader): void {
    this.#leave(reader.wire, reader.guest);
  }

  #unknown(reader: RequestReader, bytes: Buffer): void {
    const { protocol, onUnknownProtocol } = this.#options;
    const { wire, guest } = reader;
    if (protocol !== 'any' && onUnknownProtocol === undefined) {
      this.refused(reader, 'UNKNOWN_PROTOCOL', `it began with ${shown(bytes)}`);
      return;
    }
    const firstBytes = Buffer.from(bytes);
    wire.unread(firstBytes);
    if (protocol === 'any' || onUnknownProtocol === undefined) {
      this.#takeBytes(wire, guest);
      return;
    }
    const question = new UnknownProtocolQuestion({
      taken: (target) => this.#takeBytes(wire, guest, target),
      turnedAway: (message) =>
        this.#drop(wire, guest, 'UNKNOWN_PROTOCOL', `${message}; it began with ${shown(firstBytes)}`),
      threw: (error) => {
        this.#options.onException?.(error);
        this.#drop(wire, guest, 'UNKNOWN_PROTOCOL', 'onUnknownProtocol failed');
      },
      left: () => this.#leave(wire, guest),
    });
    reader.question = question;
    question.ask(onUnknownProtocol, wire, Buffer.from(firstBytes));
  }

  // The ends.

  #expire(guest: Guest): void {
    const { reader, remoteAddress } = guest;
    const { handshakeTimeout } = this.#options;
    if (reader !== undefined && reader.received > 0 && reader.question === undefined) {
      reader.stop();
      this.refused(reader, 'HANDSHAKE_TIMEOUT', `the request head did not end within ${handshakeTimeout} ms`);
      return;
    }
    reader?.question?.withdraw();
    // Browsers open connections ahead of need. An answer to no question would be taken for that of the next one.
    guest.terminate();
    const what = reader === undefined ? guest.awaited : reader.question === undefined ? 'nothing was sent' : UNDECIDED;
    this.#report('HANDSHAKE_TIMEOUT', `${what} within ${handshakeTimeout} ms`, remoteAddress);
  }

  /** Refuses a connection that no answer means anything to. */
  #drop(wire: Wire, guest: Guest, error: ErrorCode, message: string): void {
    this.#deadlines.delete(guest);
    const { remoteAddress } = wire.addresses;
    lingerAndTerminate(wire);
    this.#report(error, message, remoteAddress);
  }

  #leave(wire: Wire, guest: Guest): void {
    this.#deadlines.delete(guest);
    wire.terminate();
  }

  #report(error: ErrorCode, message: string, remoteAddress: string): void {
    this.#options.onRefused({ error, status: httpStatusOf(error), message, remoteAddress });
  }
}

const UNDECIDED = 'onUnknownProtocol did not answer';

const MAX_SHOWN = 16;

/** The first of the first bytes, for a log. */
function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1', 0, MAX_SHOWN));
}
