/**
 * Owns the view that receivers get of a client that speaks plain TCP: its addresses, and what TLS says. Refuses to invent a request:
 * everything that HTTP would tell is empty, so that whoever decides by path, origin or headers lets nobody in by mistake.
 */
import type { Principal } from '../../receivers/principal.js';
import type { TlsFacts, UpgradeRequest } from '../../receivers/upgrade-request.js';
import { tlsFactsOf } from '../tls/tls-facts.js';
import type { AcceptedWire, WireAddresses } from '../wires/wire.js';
import { DecisionSignal } from './decision-signal.js';

const NONE: readonly never[] = [];
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** A client that asked for nothing. */
export class TcpRequest implements UpgradeRequest {
  readonly transport = 'tcp';
  readonly method = '';
  readonly url = '';
  readonly path = '';
  readonly host = '';
  readonly headers = NO_HEADERS;
  readonly rawHeaders = NONE;
  readonly origin = undefined;
  readonly subprotocols = NONE;
  readonly extensions = NONE;
  readonly forwarded = undefined;
  readonly tls: TlsFacts | undefined;
  readonly peerAddress: string;
  /** Set when the client has shown who it is, before the receiver is asked. */
  principal: Principal | undefined;
  readonly #addresses: WireAddresses;
  #decision: DecisionSignal | undefined;

  constructor(wire: AcceptedWire, decision: DecisionSignal) {
    this.tls = wire.tls === undefined ? undefined : tlsFactsOf(wire.tls);
    this.#addresses = wire.pass?.peer ?? wire.addresses;
    this.peerAddress = wire.addresses.remoteAddress;
    this.#decision = decision;
  }

  /** The connection is open: what can be had again is let go of. */
  settle(): void {
    if (this.#decision?.asked === false) this.#decision = undefined;
  }

  get query(): URLSearchParams {
    return new URLSearchParams();
  }

  get remoteAddress(): string {
    return this.#addresses.remoteAddress;
  }

  get remotePort(): number {
    return this.#addresses.remotePort;
  }

  get localAddress(): string {
    return this.#addresses.localAddress;
  }

  get localPort(): number {
    return this.#addresses.localPort;
  }

  get signal(): AbortSignal {
    this.#decision ??= new DecisionSignal();
    return this.#decision.signal;
  }
}
