/**
 * Owns what is known about one accepted connection until it is gone: who it is believed to be, who let it in, and what has to be
 * given back. Refuses to decide; the gatekeeper does.
 */
import type { Chained } from '../../actors/chain.js';
import type { ForwardedFacts } from '../../receivers/upgrade-request.js';
import type { ListenerRole } from '../config/listen.js';
import type { Denial, Peer } from './policy.js';

/** Where an accepted connection stands. */
export type PassState =
  /** The hook `onTcpConnect` has not answered yet. */
  | 'deciding'
  /** There is no room, and it waits for some (`limits.overflow: pause`). */
  | 'waiting'
  | 'admitted'
  | 'denied'
  | 'released';

/** Who made a pass. */
export interface PassOwner {
  /** The connection is gone, or will not be taken. */
  released(pass: Pass): void;
}

/** Goes with a connection from its accept on, on its wire. */
export class Pass implements Chained<Pass> {
  before: Pass | undefined;
  behind: Pass | undefined;
  state: PassState = 'admitted';
  /** The client as it is believed to be: the TCP peer, until a trusted proxy has told otherwise. */
  peer: Peer;
  /** The TCP peer is a trusted proxy. */
  readonly proxied: boolean;
  /** The policies are not asked yet: a trusted proxy has still to tell whom it brings. */
  anonymous: boolean;
  /** The trusted proxy that told whom it brings; undefined for a client that came itself. */
  introducer: Peer | undefined;
  readonly role: ListenerRole;
  /** What `onTcpConnect` made of it: `tcp` is a plain TCP client, without HTTP. */
  verdict: 'accept' | 'tcp' = 'accept';
  /** What a trusted proxy told beside the address. */
  forwarded: ForwardedFacts | undefined;
  /** Why it was turned away. */
  denial: Denial | undefined;
  /** It was turned away, and may still send its request, to be told so. */
  isToldWhy = false;
  /** How many policies, from the first one on, have let it in and are owed a release. Written by the gatekeeper. */
  granted = 0;
  /** It counts as one of the connections there are. Written by the gatekeeper. */
  seated = false;
  /** Called once, when it is not waiting or being decided about any more, unless it was released before. */
  onSettled: (() => void) | undefined;
  readonly #owner: PassOwner;

  constructor(owner: PassOwner, peer: Peer, role: ListenerRole, proxied: boolean) {
    this.#owner = owner;
    this.peer = peer;
    this.role = role;
    this.proxied = proxied;
    this.anonymous = proxied;
  }

  /** It is neither in nor out yet. */
  get isUnsettled(): boolean {
    return this.state === 'deciding' || this.state === 'waiting';
  }

  /** The connection is gone. Everything it holds is given back, once, however often this is called. */
  release(): void {
    if (this.state === 'released') return;
    this.#owner.released(this);
  }
}
