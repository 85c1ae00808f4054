/**
 * Owns asking the application about a connection whose first bytes belong to no protocol we know, while its client may leave. Refuses to
 * take or to refuse it; the listener does.
 */
import { isPromise } from '../../actors/callback-queue.js';
import type { UpgradeDecision } from '../../receivers/index.js';
import type { Peer } from '../admission/policy.js';
import type { AcceptedWire } from '../wires/wire.js';

/** What the hook may answer: `true` or `accept()` takes the connection as plain TCP, everything else closes it. */
export type UnknownProtocolAnswer = UpgradeDecision | boolean | undefined | void;

/** The hooks about what a connection begins with. */
export interface FirstBytesHooks {
  /**
   * Decides about a client whose first bytes are neither HTTP nor TLS (sgc: OnUnknownProtocol). Accepted, it is a plain TCP connection from
   * then on: a receiver is made, `onUpgradeRequest` is asked too, and every byte goes to it, these first. `accept({ target })` sends it
   * elsewhere; everything else of `accept` has no meaning here. Called once for each such client, on listeners with
   * `protocol: 'websocket'`, before anything else of the application; may be asynchronous, within `timeouts.handshake`. Without this
   * hook such clients get HTTP 400. One that throws refuses, and is reported as `exception`.
   *
   * @param firstBytes what came so far, at least one byte; a copy.
   */
  readonly onUnknownProtocol?:
    | ((peer: Peer, firstBytes: Buffer) => UnknownProtocolAnswer | Promise<UnknownProtocolAnswer>)
    | undefined;
}

/** How the answer is told. One of these is called, once, unless the question is withdrawn. */
export interface UnknownProtocolAsker {
  taken(target: string | undefined): void;
  turnedAway(message: string): void;
  threw(error: unknown): void;
  left(): void;
}

/** One question to the hook. */
export class UnknownProtocolQuestion {
  readonly #asker: UnknownProtocolAsker;
  #open = true;

  constructor(asker: UnknownProtocolAsker) {
    this.#asker = asker;
  }

  /** Asks. The wire is not read meanwhile, and noticed when it is cut. */
  ask(hook: NonNullable<FirstBytesHooks['onUnknownProtocol']>, wire: AcceptedWire, firstBytes: Buffer): void {
    wire.attach({ onBytes() {}, onEnd() {}, onDrain() {}, onClosed: () => this.#settle(() => this.#asker.left()) });
    wire.watch();
    const { remoteAddress, remotePort, localAddress, localPort } = wire.pass?.peer ?? wire.addresses;
    try {
      const answer = hook({ remoteAddress, remotePort, localAddress, localPort }, firstBytes);
      if (isPromise(answer)) answer.then((settled) => this.#answered(settled)).catch((error) => this.#threw(error));
      else this.#answered(answer);
    } catch (error) {
      this.#threw(error);
    }
  }

  /** Whoever asked wants no answer any more. */
  withdraw(): void {
    this.#open = false;
  }

  #answered(answer: UnknownProtocolAnswer): void {
    this.#settle(() => {
      if (answer === true) this.#asker.taken(undefined);
      else if (typeof answer === 'object' && answer.kind === 'accept') this.#asker.taken(answer.target ?? undefined);
      else this.#asker.turnedAway('onUnknownProtocol did not accept it');
    });
  }

  #threw(error: unknown): void {
    this.#settle(() => this.#asker.threw(error));
  }

  #settle(tell: () => void): void {
    if (!this.#open) return;
    this.#open = false;
    tell();
  }
}

const MAX_SHOWN = 16;

/** The first of the first bytes, for a log. */
export function shownBytes(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1', 0, MAX_SHOWN));
}
