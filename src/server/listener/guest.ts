/**
 * Owns a connection until its request head is there: who it is, and what it has sent so far. Refuses to answer it; the
 * listener does.
 */
import type { Socket } from 'node:net';
import { classifyFirstBytes, type FirstBytes } from '../../protocol/first-bytes.js';
import { parseRequestHead, parseRequestLine, type RequestHead } from '../../protocol/http-head.js';
import type { Pass } from '../admission/pass.js';
import type { Peer } from '../admission/policy.js';
import { HeadReader } from '../handshake/head-reader.js';
import type { AcceptedWire } from '../wires/wire.js';
import type { Waiting } from './handshake-deadlines.js';
import type { UnknownProtocolQuestion } from './unknown-protocol.js';

/** What a guest tells its host. One of these is called, once. */
export interface GuestHost {
  readonly maxHandshakeBytes: number;
  readonly maxHeaderCount: number;
  arrived(guest: RequestReader, head: RequestHead): void;
  /** What it sent is no request. */
  refused(guest: RequestReader, error: 'BAD_HANDSHAKE' | 'HANDSHAKE_TOO_BIG', message: string): void;
  /** What it sent belongs to another protocol. The bytes are all that came, and gone when this returns. */
  foreign(guest: RequestReader, kind: Exclude<FirstBytes, 'http'>, bytes: Buffer): void;
  /** It left, or broke off, before it had sent anything. */
  left(guest: RequestReader): void;
}

/** A connection whose request head is awaited, from the accepted connection on. */
export interface Guest extends Waiting<Guest> {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What is waited for before the request, in words; undefined when it is the request. */
  readonly awaited: string | undefined;
  /** Undefined while something is to come before the request. */
  readonly reader: RequestReader | undefined;
  /** Undefined where nobody asks who may come in. */
  readonly pass: Pass | undefined;
  terminate(): void;
}

/** Reads the request head of a guest. */
export class RequestReader extends HeadReader implements Guest {
  before: Guest | undefined;
  behind: Guest | undefined;
  expiry = 0;
  awaited: string | undefined;
  /** What is asked about it, when its first bytes belong to no protocol we know. */
  question: UnknownProtocolQuestion | undefined;
  declare readonly wire: AcceptedWire;
  readonly #host: GuestHost;
  /** The guest as it was known before its request was awaited; else this. */
  readonly guest: Guest;

  constructor(wire: AcceptedWire, host: GuestHost, guest?: Guest) {
    super(wire, host.maxHandshakeBytes, host.maxHeaderCount);
    this.#host = host;
    this.guest = guest ?? this;
  }

  get remoteAddress(): string {
    return (this.pass?.peer ?? this.wire.addresses).remoteAddress;
  }

  get remotePort(): number {
    return (this.pass?.peer ?? this.wire.addresses).remotePort;
  }

  get pass(): Pass | undefined {
    return this.wire.pass;
  }

  get reader(): RequestReader {
    return this;
  }

  terminate(): void {
    this.wire.terminate();
  }

  protected override onHead(text: string, skipped: number): void {
    const head = parseRequestHead(text);
    if (!('fault' in head)) {
      // Only the preface of HTTP/2 reads like this (RFC 9113 section 3.4).
      if (head.method === 'PRI' && head.httpVersion === '2.0') this.#host.foreign(this, 'http2', Buffer.from(text));
      else this.#host.arrived(this, head);
      return;
    }
    this.onFault(head.fault, Buffer.from('\r\n'.repeat(skipped / 2) + text, 'latin1'));
  }

  protected override faultInBeginning(bytes: Buffer): string | undefined {
    const kind = classifyFirstBytes(bytes);
    return kind === undefined || kind === 'http' || kind === 'http2' ? undefined : 'it is none';
  }

  protected override faultInFirstLine(line: string): string | undefined {
    const parsed = parseRequestLine(line);
    return 'fault' in parsed ? parsed.fault : undefined;
  }

  /** Nothing is looked at twice for a request that is one: what else it could be is asked only now. */
  protected override onFault(fault: string, bytes: Buffer): void {
    const kind = classifyFirstBytes(bytes) ?? 'unknown';
    if (kind === 'http') this.#host.refused(this, 'BAD_HANDSHAKE', `the request is not HTTP: ${fault}`);
    else this.#host.foreign(this, kind, bytes);
  }

  protected override onTooBig(): void {
    const { maxHandshakeBytes, maxHeaderCount } = this.#host;
    const many = this.fields > maxHeaderCount;
    const what = many ? `has more than ${maxHeaderCount} header fields` : `is larger than ${maxHandshakeBytes} bytes`;
    this.#host.refused(this, 'HANDSHAKE_TOO_BIG', `the request head ${what}`);
  }

  protected override onGone(): void {
    this.#host.left(this);
  }
}

/** A connection of which something else is awaited before its request. */
export class PassingGuest implements Guest {
  before: Guest | undefined;
  behind: Guest | undefined;
  expiry = 0;
  awaited: string;
  reader: RequestReader | undefined;
  /** While its bytes are read here. */
  wire: AcceptedWire | undefined;
  /** While TLS has it. */
  raw: Socket | undefined;
  pass: Pass | undefined;
  /** TLS stands, has failed, or is not awaited any more: whatever comes now is no news. */
  settled = false;
  readonly #peer: Peer;

  constructor(peer: Peer, awaited: string) {
    this.#peer = peer;
    this.awaited = awaited;
  }

  get remoteAddress(): string {
    return (this.pass?.peer ?? this.#peer).remoteAddress;
  }

  get remotePort(): number {
    return (this.pass?.peer ?? this.#peer).remotePort;
  }

  terminate(): void {
    this.settled = true;
    if (this.raw === undefined) this.wire?.terminate();
    else this.raw.destroy();
  }
}
