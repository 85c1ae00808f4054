/**
 * Owns a connection until its request head is there: who it is, and what it has sent so far. Refuses to answer it; the
 * listener does.
 */
import type { Socket } from 'node:net';
import { parseRequestHead, parseRequestLine, type RequestHead } from '../../protocol/http-head.js';
import type { Pass } from '../admission/pass.js';
import { HeadReader } from '../handshake/head-reader.js';
import type { Wire } from '../wires/wire.js';
import type { Waiting } from './handshake-deadlines.js';

/** What a guest tells its host. One of the first three is called, once. */
export interface GuestHost {
  readonly maxHandshakeBytes: number;
  arrived(guest: RequestReader, head: RequestHead): void;
  /** What it sent is no request. */
  refused(guest: RequestReader, error: 'BAD_HANDSHAKE' | 'HANDSHAKE_TOO_BIG', message: string): void;
  /** It left, or broke off, before it had sent anything. */
  left(guest: RequestReader): void;
}

/** A connection whose request head is awaited, from the accepted connection on. */
export interface Guest extends Waiting<Guest> {
  readonly remoteAddress: string;
  /** Undefined while TLS does not stand yet. */
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
  readonly #host: GuestHost;
  /** The guest as it was known while TLS was awaited; else this. */
  readonly guest: Guest;

  constructor(wire: Wire, host: GuestHost, guest?: Guest) {
    super(wire, host.maxHandshakeBytes);
    this.#host = host;
    this.guest = guest ?? this;
  }

  get remoteAddress(): string {
    return (this.pass?.peer ?? this.wire.addresses).remoteAddress;
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

  protected override onHead(text: string): void {
    const head = parseRequestHead(text);
    if ('fault' in head) this.onFault(head.fault);
    else this.#host.arrived(this, head);
  }

  protected override faultInFirstLine(line: string): string | undefined {
    const parsed = parseRequestLine(line);
    return 'fault' in parsed ? parsed.fault : undefined;
  }

  protected override onFault(fault: string): void {
    this.#host.refused(this, 'BAD_HANDSHAKE', `the request is not HTTP: ${fault}`);
  }

  protected override onTooBig(): void {
    const limit = this.#host.maxHandshakeBytes;
    this.#host.refused(this, 'HANDSHAKE_TOO_BIG', `the request head is larger than ${limit} bytes`);
  }

  protected override onGone(): void {
    this.#host.left(this);
  }
}

/** A connection whose TLS handshake is awaited. */
export class SecuringGuest implements Guest {
  before: Guest | undefined;
  behind: Guest | undefined;
  expiry = 0;
  readonly remoteAddress: string;
  readonly raw: Socket;
  reader: RequestReader | undefined;
  pass: Pass | undefined;
  /** Its TLS handshake has begun. */
  begun = false;
  readonly #cut: () => void;

  /** @param cut called when it is cut here within its TLS handshake, of which Node.js will say that it failed. */
  constructor(raw: Socket, remoteAddress: string, cut: () => void) {
    this.raw = raw;
    this.remoteAddress = remoteAddress;
    this.#cut = cut;
  }

  terminate(): void {
    if (this.begun && this.reader === undefined && !this.raw.destroyed) this.#cut();
    this.raw.destroy();
  }
}
