/**
 * Owns the closing handshake of one connection: which Close frames went and came, when ours goes, when the transport ends,
 * and the report about it (RFC 6455 section 7). Refuses to decide that there is one; the chart does.
 */
import type { CloseReport, CloseStatus } from '../receivers/index.js';
import type { DownstreamPort } from './downstream.port.js';
import { type Ending, reportedStatus } from './ending.js';

/** The closing handshake of one connection. */
export class ClosingHandshake {
  readonly #owner: { readonly port: DownstreamPort };
  #sent: CloseStatus | undefined;
  #received: { code: CloseStatus; reason: string } | undefined;
  #unreadable = false;

  constructor(owner: { readonly port: DownstreamPort }) {
    this.#owner = owner;
  }

  /** The peer's Close frame came, and everything before it was dealt with. */
  get peerClosed(): boolean {
    return this.#received !== undefined;
  }

  /** The code in our Close frame, 1005 for none in it; undefined before there is one. */
  get codeSent(): CloseStatus | undefined {
    return this.#sent;
  }

  /** What the peer's Close frame said; undefined before it came. */
  get received(): { readonly code: CloseStatus; readonly reason: string } | undefined {
    return this.#received;
  }

  noteReceived(code: CloseStatus, reason: string): void {
    this.#received ??= { code, reason };
  }

  /** The peer broke a rule: nothing it says can be read any more, its answer neither. */
  noteUnreadable(): void {
    this.#unreadable = true;
  }

  /** Begins or answers, unless a counterpart owes the answer to a peer that began. Answers whether it did. */
  send(ending: Ending, answeredElsewhere: boolean): boolean {
    if (ending.initiator === 'downstream' && answeredElsewhere) return false;
    this.answer(ending);
    return true;
  }

  /** Writes our Close frame if none was written; ends the transport when the peer's is there too, or cannot be (section 7.1.7). */
  answer(ending: Ending): void {
    this.#write(ending.code, ending.reason);
    if (this.peerClosed || this.#unreadable) this.#owner.port.end();
  }

  /** The peer answered ours: the server ends TCP first (RFC 6455 section 7.1.1). */
  finish(): void {
    if (this.#sent !== undefined) this.#owner.port.end();
  }

  /** Gives up. A peer that began gets its answer even when the target never gave one. */
  cut(): void {
    if (this.#received !== undefined) this.#write(this.#received.code, '');
    this.#owner.port.terminate();
  }

  /** The report about an ending, as far as it is known now. */
  report(ending: Ending, openedAt: number | undefined): CloseReport {
    const port = this.#owner.port;
    const codeSent = port.closeWritten ? this.#sent : undefined;
    return {
      initiator: ending.initiator,
      cause: ending.cause,
      ...reportedStatus(ending, this.#received, codeSent !== undefined),
      codeSent,
      codeReceived: this.#received?.code,
      received: port.received,
      sent: port.sent,
      durationMs: openedAt === undefined ? 0 : Date.now() - openedAt,
      undeliveredBytes: port.bufferedBytes,
      dropped: port.dropped,
    };
  }

  #write(code: CloseStatus, reason: string): void {
    if (this.#sent !== undefined) return;
    this.#sent = code;
    this.#owner.port.sendClose(code, reason);
  }
}
