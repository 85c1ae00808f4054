/**
 * Owns what is looked at of a plain request before anything is done for it: its form, who sends it, and whether that one shows who he is.
 * The sources of credentials are those of handshakes; the Origin does not matter. Refuses to answer.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { RequestHead } from '../../protocol/http-head.js';
import { plainRequestFault } from '../../protocol/plain-request.js';
import { describeError, ERRORS, httpStatusOf, TidegateError } from '../../receivers/index.js';
import type { Credentials } from '../authentication/credentials.js';
import { HandshakeAdmission } from '../authentication/handshake-admission.js';
import { present } from '../authentication/presented.js';
import type { DecisionSignal } from '../handshake/decision-signal.js';
import { createUpgradeRequest, type ParsedUpgradeRequest } from '../handshake/upgrade-request.js';
import type { ExtensionBase } from '../server-extension.js';
import type { AcceptedWire } from '../wires/wire.js';

/** What a gate is made of. */
export interface RequestGateOptions extends Pick<ExtensionBase, 'authentication' | 'entry'> {
  readonly maxHeaderCount: number;
  /** Whether whoever is asked who he is in a handshake is asked here, too. */
  readonly asksWho: boolean;
}

/** Lets plain requests in. */
export class RequestGate {
  readonly #options: RequestGateOptions;

  constructor(options: RequestGateOptions) {
    this.#options = options;
  }

  /** Answers with the request without its credentials, or why it is refused, which is counted and told then. */
  async admit(
    head: RequestHead,
    wire: AcceptedWire,
    decision: DecisionSignal,
    isFirst: boolean,
  ): Promise<ParsedUpgradeRequest | Refusal> {
    const denial = isFirst ? undefined : this.#denialOf(head, wire);
    if (denial !== undefined) return denial;
    const admitted = await this.#admit(head, wire, decision);
    if ('error' in admitted) {
      const { error, status, message } = admitted;
      const { remoteAddress } = wire.pass?.peer ?? wire.addresses;
      this.#options.entry.rejected({ error, status, message, remoteAddress, path: head.url.split('?', 1)[0] });
    }
    return admitted;
  }

  async #admit(
    head: RequestHead,
    wire: AcceptedWire,
    decision: DecisionSignal,
  ): Promise<ParsedUpgradeRequest | Refusal> {
    const fault = this.#faultOf(head);
    if (fault !== undefined) return fault;
    const { authenticator } = this.#options.authentication;
    if (authenticator === undefined || !this.#options.asksWho) return requestOf(head, wire, decision);
    const presented = present(head, authenticator.sources);
    const request = requestOf(presented.head, wire, decision);
    if ('error' in request) return request;
    return this.#authenticate(request, presented.credentials ?? authenticator.certified(wire.tls));
  }

  #faultOf(head: RequestHead): Refusal | undefined {
    const { maxHeaderCount } = this.#options;
    if (head.rawHeaders.length / 2 > maxHeaderCount) {
      const message = `the request head has more than ${maxHeaderCount} header fields`;
      return { status: httpStatusOf('HANDSHAKE_TOO_BIG'), error: 'HANDSHAKE_TOO_BIG', message };
    }
    const fault = plainRequestFault(head);
    return fault === undefined ? undefined : { ...fault, error: 'BAD_REQUEST', body: `${fault.message}\n` };
  }

  #denialOf(head: RequestHead, wire: AcceptedWire): Refusal | undefined {
    const denial = this.#options.entry.denialOfNext(head, wire);
    if (denial === undefined) return undefined;
    const { error, message, retryAfter } = denial;
    const headers =
      retryAfter === undefined ? undefined : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) };
    return { status: httpStatusOf(error), error, message, headers, body: `${message}\n` };
  }

  async #authenticate(
    request: ParsedUpgradeRequest,
    credentials: Credentials | undefined,
  ): Promise<ParsedUpgradeRequest | Refusal> {
    const { authentication, entry } = this.#options;
    const { authenticator } = authentication;
    if (authenticator === undefined) return request;
    const admission = new HandshakeAdmission({ authenticator, ports: entry.ports, request, credentials });
    const verdict = await admission.admit();
    if ('error' in verdict) return verdict;
    request.principal = verdict.principal;
    return request;
  }
}

function requestOf(head: RequestHead, wire: AcceptedWire, decision: DecisionSignal): ParsedUpgradeRequest | Refusal {
  try {
    return createUpgradeRequest(head, wire, decision);
  } catch (error) {
    const code = error instanceof TidegateError ? error.code : 'BAD_REQUEST';
    return { status: httpStatusOf(code), error: code, message: describeError(error), body: `${ERRORS[code].help}\n` };
  }
}
