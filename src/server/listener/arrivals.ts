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
import type { Peer } from '../admission/policy.js';
import { writeRefusal } from '../handshake/answer.js';
import { refuseHttp2 } from '../handshake/http2-refusal.js';
import { lingerAndTerminate } from '../handshake/linger.js';
import type { PeerDenial } from '../tls/peer-verdict.js';
import { describeTlsFailure, LEFT_MIDWAY, plainAnswerTo } from '../tls/tls-failure.js';
import type { AcceptedWire, Wire } from '../wires/wire.js';
import { secureWire } from '../wires/wire-layer.js';
import { type Guest, type GuestHost, PassingGuest, RequestReader } from './guest.js';
import type { ListenerOptions } from './listener-options.js';
import { Lobby } from './lobby.js';
import { ProxyHeaderReader } from './proxy-header-reader.js';
import { endsOf, TlsGuests } from './tls-guests.js';
import { TlsOrPlain } from './tls-or-plain.js';
import { shownBytes, UnknownProtocolQuestion } from './unknown-protocol.js';

/** The connections of one listener until they are requests. */
export class Arrivals implements GuestHost {
  readonly maxHandshakeBytes: number;
  readonly maxHeaderCount: number;
  /** Does TLS for connections of which something is read before; it does not listen. */
  tls: tls.Server | undefined;
  readonly #options: ListenerOptions;
  readonly #lobby: Lobby;
  readonly #tlsGuests: TlsGuests;
  readonly #wires = new Chain<Wire>();
  #emptied: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.maxHandshakeBytes = options.maxHandshakeBytes;
    this.maxHeaderCount = options.maxHeaderCount;
    this.#lobby = new Lobby({
      handshakeTimeout: options.handshakeTimeout,
      maxPendingHandshakes: options.maxPendingHandshakes ?? 0,
      expired: (guest) => this.#expire(guest),
      cut: (guest, error, message) => this.#report(error, message, guest),
    });
    this.#tlsGuests = new TlsGuests((guest, midway) => {
      this.#lobby.delete(guest);
      if (midway) this.#report('BAD_HANDSHAKE', LEFT_MIDWAY, guest);
    });
  }

  /** Cuts every connection whose request is awaited. */
  async close(): Promise<void> {
    this.#lobby.terminateAll();
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
  opened(wire: AcceptedWire): void {
    this.#wires.add(wire);
    const { protocol, proxyProtocol = 'off', role = 'client' } = this.#options;
    if (this.#options.isProbe?.(wire.addresses) === true) {
      writeRefusal(wire, { status: 426 });
      return;
    }
    wire.pass = this.#options.arrive?.(wire.addresses, role);
    if (proxyProtocol === 'off' && this.tls === undefined && protocol !== 'tcp') {
      // Nothing comes before the request: the common case, whose bytes are looked at once.
      const reader = new RequestReader(wire, this);
      this.#lobby.admit(reader, () => {
        if (isTcp(reader)) this.#takeBytes(wire, reader);
        else reader.start();
      });
      return;
    }
    const guest = new PassingGuest(wire.addresses, 'nothing was sent');
    guest.wire = wire;
    guest.pass = wire.pass;
    this.#lobby.admit(guest, () => {
      if (proxyProtocol === 'off') this.#secureOrGoOn(wire, guest);
      else this.#awaitProxyHeader(wire, guest);
    });
  }

  gone(wire: AcceptedWire): void {
    this.#wires.delete(wire);
    wire.pass?.release();
    if (this.#wires.size === 0) this.#emptied?.();
  }

  #awaitProxyHeader(wire: AcceptedWire, guest: PassingGuest): void {
    guest.awaited = 'the PROXY protocol header did not come';
    const required = this.#options.proxyProtocol === 'required';
    new ProxyHeaderReader(wire, required, guest.pass?.proxied ?? false, {
      introduced: (peer) => this.#introduced(wire, guest, peer),
      mistrusted: (message) => this.#drop(wire, guest, 'BAD_PROXY_HEADER', message),
      left: () => this.#leave(wire, guest),
    }).start();
  }

  #introduced(wire: AcceptedWire, guest: PassingGuest, peer: Peer | undefined): void {
    const { pass } = guest;
    const denial = pass === undefined || peer === undefined ? undefined : this.#options.become?.(pass, peer);
    if (denial === undefined) {
      this.#secureOrGoOn(wire, guest);
      return;
    }
    this.#lobby.delete(guest);
    lingerAndTerminate(wire);
  }

  #secureOrGoOn(wire: AcceptedWire, guest: PassingGuest): void {
    if (this.tls === undefined) this.#goOn(wire, guest);
    else if (this.#options.plain === true) this.#tellTls(wire, guest);
    else this.#secure(wire, guest);
  }

  #tellTls(wire: AcceptedWire, guest: PassingGuest): void {
    guest.awaited = 'nothing was sent';
    const decided = (speaksTls: boolean): void => {
      if (speaksTls) this.#secure(wire, guest);
      else this.#goOn(wire, guest);
    };
    new TlsOrPlain(wire, decided, () => this.#leave(wire, guest)).start();
  }

  #secure(wire: AcceptedWire, guest: PassingGuest): void {
    // The pass stays with the guest: it is not gone with this wire.
    wire.pass = undefined;
    const socket = wire.release();
    if (socket === undefined || this.tls === undefined) {
      this.#leave(wire, guest);
      return;
    }
    this.#tlsGuests.admit(socket, guest);
    // As with connections that TLS accepts itself.
    socket.allowHalfOpen = false;
    this.tls.emit('connection', socket);
  }

  /** A connection was accepted by a server that does TLS itself, once it is told to begin. */
  securing(raw: Socket, begin: () => void): void {
    const guest = this.#tlsGuests.admit(raw);
    guest.pass = this.#options.arrive?.(endsOf(raw), this.#options.role ?? 'client');
    this.#lobby.admit(guest, begin);
  }

  /** TLS stands, and whoever judges the client's certificate has. */
  secured(socket: TLSSocket, denial: PeerDenial | undefined): void {
    const wire = secureWire(socket, this.#options, (gone) => this.gone(gone));
    const guest = this.#tlsGuests.secured(socket);
    if (guest === undefined) {
      wire.terminate();
      return;
    }
    wire.pass = guest.pass;
    this.#wires.add(wire);
    if (denial === undefined) this.#goOn(wire, guest);
    else this.#answerDenial(wire, guest, denial);
  }

  tlsFailed(error: Error, socket: TLSSocket): void {
    const guest = this.#tlsGuests.failed(socket, plainAnswerTo(error));
    if (guest === undefined) return;
    this.#lobby.delete(guest);
    this.#report('BAD_HANDSHAKE', describeTlsFailure(error), guest);
  }

  #answerDenial(wire: AcceptedWire, guest: PassingGuest, { error, status, message, answer }: PeerDenial): void {
    this.#lobby.delete(guest);
    writeRefusal(wire, { status, body: `${answer}\n` });
    this.#options.onRefused({ error, status, message, remoteAddress: guest.remoteAddress });
  }

  #goOn(wire: AcceptedWire, guest: PassingGuest): void {
    if (this.#options.protocol === 'tcp' || isTcp(guest)) this.#takeBytes(wire, guest);
    else this.#awaitRequest(wire, guest);
  }

  #awaitRequest(wire: AcceptedWire, guest: PassingGuest): void {
    guest.reader = new RequestReader(wire, this, guest);
    guest.reader.start();
  }

  #takeBytes(wire: AcceptedWire, guest: Guest, target?: string): void {
    this.#lobby.delete(guest);
    this.#options.onBytes(wire, target);
  }

  // What the request readers tell.

  arrived(reader: RequestReader, head: RequestHead): void {
    this.#lobby.delete(reader.guest);
    this.#options.onRequest(head, reader.wire, reader.waited);
  }

  refused(reader: RequestReader, error: ErrorCode, message: string): void {
    this.#lobby.delete(reader.guest);
    writeRefusal(reader.wire, { status: httpStatusOf(error), body: `${ERRORS[error].help}\n` });
    this.#report(error, message, reader);
  }

  foreign(reader: RequestReader, kind: Exclude<FirstBytes, 'http'>, bytes: Buffer): void {
    switch (kind) {
      case 'http2':
        this.#lobby.delete(reader.guest);
        refuseHttp2(reader.wire);
        this.#report('NOT_AN_UPGRADE', 'the client began with HTTP/2; WebSocket is spoken over HTTP/1.1', reader);
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
      this.refused(reader, 'UNKNOWN_PROTOCOL', `it began with ${shownBytes(bytes)}`);
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
        this.#drop(wire, guest, 'UNKNOWN_PROTOCOL', `${message}; it began with ${shownBytes(firstBytes)}`),
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
    const { reader, remoteAddress, remotePort } = guest;
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
    this.#report(
      'HANDSHAKE_TIMEOUT',
      `${what} within ${handshakeTimeout} ms`,
      { remoteAddress, remotePort },
      what !== UNDECIDED,
    );
  }

  /** Refuses a connection that no answer means anything to. */
  #drop(wire: AcceptedWire, guest: Guest, error: ErrorCode, message: string): void {
    this.#lobby.delete(guest);
    lingerAndTerminate(wire);
    this.#report(error, message, guest);
  }

  #leave(wire: AcceptedWire, guest: Guest): void {
    this.#lobby.delete(guest);
    wire.terminate();
  }

  #report(error: ErrorCode, message: string, who: Pick<Guest, 'remoteAddress' | 'remotePort'>, isSilent = false): void {
    const { remoteAddress, remotePort } = who;
    this.#options.onRefused({ error, status: httpStatusOf(error), message, remoteAddress, remotePort, isSilent });
  }
}

/** Whether `onTcpConnect` took it for a plain TCP client. */
function isTcp({ pass }: Guest): boolean {
  return pass?.verdict === 'tcp';
}

const UNDECIDED = 'onUnknownProtocol did not answer';
