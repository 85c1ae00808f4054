/**
 * Owns what admission does with a request that is there: whoever was turned away at the accept, or comes by a trusted proxy on behalf of
 * someone who is, gets an answer; everyone else goes on. Refuses to judge the request.
 */
import type { RequestHead } from '../../protocol/http-head.js';
import { httpStatusOf } from '../../receivers/index.js';
import type { RejectedUpgrade } from '../events.js';
import { writeRefusal } from '../handshake/answer.js';
import type { Wire } from '../wires/wire.js';
import type { Gatekeeper } from './gatekeeper.js';
import type { Denial } from './policy.js';

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
  admits({ rawHeaders, url }: RequestHead, wire: Wire): boolean {
    const { pass } = wire;
    if (pass === undefined) return true;
    if (pass.denial !== undefined) {
      refuse(wire, pass.denial);
      return false;
    }
    const denial = this.#gatekeeper.identify(pass, rawHeaders);
    if (denial === undefined) return true;
    refuse(wire, denial);
    const { error, message } = denial;
    const { remoteAddress } = pass.peer;
    this.#rejected({ error, status: httpStatusOf(error), message, remoteAddress, path: url.split('?', 1)[0] });
    return false;
  }
}

function refuse(wire: Wire, { error, message, retryAfter }: Denial): void {
  const seconds = retryAfter === undefined ? undefined : String(Math.max(1, Math.ceil(retryAfter)));
  const headers = seconds === undefined ? undefined : { 'Retry-After': seconds };
  writeRefusal(wire, { status: httpStatusOf(error), headers, body: `${message}\n` });
}
