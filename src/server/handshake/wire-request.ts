/**
 * Owns what every client's request says by the wire that it came by: addresses, TLS, who the client is, and the signal of the decision.
 * Refuses to know what the client said.
 */
import type { Principal } from '../../receivers/principal.js';
import type { TlsFacts } from '../../receivers/upgrade-request.js';
import { tlsFactsOf } from '../tls/tls-facts.js';
import type { AcceptedWire, WireAddresses } from '../wires/wire.js';
import { DecisionSignal } from './decision-signal.js';

/** The part of a request that is the same for all. */
export abstract class WireRequest {
  readonly tls: TlsFacts | undefined;
  readonly peerAddress: string;
  /** Set when the client has shown who it is, before the receiver is asked. */
  principal: Principal | undefined;
  /** As they are believed. */
  readonly #addresses: WireAddresses;
  #decision: DecisionSignal | undefined;

  constructor(wire: AcceptedWire, decision: DecisionSignal) {
    this.tls = wire.tls === undefined ? undefined : tlsFactsOf(wire.tls);
    this.#addresses = wire.pass?.peer ?? wire.addresses;
    this.peerAddress = wire.addresses.remoteAddress;
    this.#decision = decision;
  }

  /** The client is answered: what can be had again is let go of. */
  settle(): void {
    if (this.#decision?.asked === false) this.#decision = undefined;
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
