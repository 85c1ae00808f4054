/**
 * Owns what admission does with a request that is there: whoever was turned away at the accept, or comes by a trusted proxy on behalf of
 * someone who is, gets an answer; everyone else goes on. Refuses to judge the request.
 */
import type { RequestHead } from '../../protocol/http-head.js';
import { httpStatusOf } from '../../receivers/index.js';
import type { RejectedUpgrade } from '../events.js';
import { writeRefusal } from '../handshake/answer.js';
import { lingerAndTerminate } from '../handshake/linger.js';
import type { AcceptedWire } from '../wires/wire.js';
import type { Gatekeeper } from './gatekeeper.js';
import type { Pass } from './pass.js';
import type { Denial, Peer } from './policy.js';

/** Takes the requests of a server from its listeners. */
export class Reception {
  readonly #gatekeeper: Gatekeeper;
  readonly #rejected: (rejected: RejectedUpgrade) => void;

  /** @param rejected told about each request that is answered here and was not told about before. Never throws. */
  constructor(gatekeeper: Gatekeeper, rejected: (rejected: RejectedUpgrade) => void) {
    this.#gatekeeper = gatekeeper;
    this.#rejected = rejected;
  }

  /** Answers whether the request goes on; if not, it is answered. */
  admits({ rawHeaders, url }: RequestHead, wire: AcceptedWire): boolean {
    const { pass } = wire;
    if (pass === undefined) return true;
    if (pass.denial !== undefined) {
      refuse(wire, pass.denial);
      return false;
    }
    const denial = this.#gatekeeper.identify(pass, rawHeaders);
    if (denial === undefined) return true;
    refuse(wire, denial);
    this.#tell(denial, pass, url.split('?', 1)[0]);
    return false;
  }

  /** Why a further request of the same connection is turned away, if it is; whoever asked answers it. */
  denialOfNext({ rawHeaders, url }: RequestHead, { pass }: AcceptedWire): Denial | undefined {
    const denial = pass === undefined ? undefined : this.#gatekeeper.identifyNext(pass, rawHeaders);
    if (denial !== undefined && pass !== undefined) this.#tell(denial, pass, url.split('?', 1)[0]);
    return denial;
  }

  /** A PROXY protocol header told who the client of a connection is. Answers why it is turned away, if it is; whoever asked cuts it. */
  introduces(pass: Pass, peer: Peer): Denial | undefined {
    const denial = this.#gatekeeper.become(pass, peer);
    if (denial !== undefined) this.#tell(denial, pass, undefined);
    return denial;
  }

  /** The same as `admits` for a client that speaks plain TCP, and that nothing can be said to. */
  admitsBytes(wire: AcceptedWire): boolean {
    const { pass } = wire;
    if (pass === undefined) return true;
    const known = pass.denial;
    const denial = known ?? this.#gatekeeper.identify(pass, []);
    if (denial === undefined) return true;
    lingerAndTerminate(wire);
    if (known === undefined) this.#tell(denial, pass, undefined);
    return false;
  }

  #tell({ error, message }: Denial, { peer }: Pass, path: string | undefined): void {
    this.#rejected({ error, status: httpStatusOf(error), message, remoteAddress: peer.remoteAddress, path });
  }
}

function refuse(wire: AcceptedWire, { error, message, retryAfter }: Denial): void {
  const seconds = retryAfter === undefined ? undefined : String(Math.max(1, Math.ceil(retryAfter)));
  const headers = seconds === undefined ? undefined : { 'Retry-After': seconds };
  writeRefusal(wire, { status: httpStatusOf(error), headers, body: `${message}\n` });
}
