/**
 * Owns the connections of one listener that are not in yet: how long each may take, how many there may be, and whether it is let in at
 * all. Refuses to decide that, and to read a byte of them.
 */
import type { ErrorCode } from '../../receivers/errors.js';
import type { Pass } from '../admission/pass.js';
import type { Guest } from './guest.js';
import { HandshakeDeadlines } from './handshake-deadlines.js';

/** How a lobby treats its guests, and whom it tells. */
export interface LobbyOptions {
  /** Milliseconds from the accepted connection to the end of the request head; 0 for no deadline. */
  readonly handshakeTimeout: number;
  /** How many may be in it; one more cuts the oldest. 0 for any number. */
  readonly maxPendingHandshakes: number;
  /** A guest that was let in did not send its request in time. It is to be cut or answered. */
  expired(guest: Guest): void;
  /** A guest was cut without an answer, and not by its pass. */
  cut(guest: Guest, error: ErrorCode, message: string): void;
}

/** Where connections wait for a decision and for their own request. */
export class Lobby {
  readonly #options: LobbyOptions;
  readonly #deadlines: HandshakeDeadlines<Guest>;

  constructor(options: LobbyOptions) {
    this.#options = options;
    this.#deadlines = new HandshakeDeadlines(options.handshakeTimeout, (guest) => this.#expire(guest));
  }

  /** Takes an accepted connection, whose pass says whether and when `enter` is called: once at most, and perhaps now. */
  admit(guest: Guest, enter: () => void): void {
    const { pass } = guest;
    if (pass?.state === 'denied' && !pass.isToldWhy) {
      // It takes nobody's place.
      guest.terminate();
      return;
    }
    this.#deadlines.add(guest);
    this.#makeRoom();
    if (pass === undefined) enter();
    else if (pass.isUnsettled) pass.onSettled = () => this.#settled(guest, pass, enter);
    else this.#settled(guest, pass, enter);
  }

  /** A guest is in, or gone. */
  delete(guest: Guest): void {
    this.#deadlines.delete(guest);
  }

  /** Cuts all of them. */
  terminateAll(): void {
    for (const guest of this.#deadlines.clear()) guest.terminate();
  }

  #settled(guest: Guest, pass: Pass, enter: () => void): void {
    if (pass.state === 'denied') {
      if (pass.isToldWhy) enter();
      else this.#cut(guest);
    } else enter();
  }

  #cut(guest: Guest, error?: ErrorCode, message = ''): void {
    this.#deadlines.delete(guest);
    guest.reader?.stop();
    guest.terminate();
    if (error !== undefined) this.#options.cut(guest, error, message);
  }

  #expire(guest: Guest): void {
    const { handshakeTimeout, expired } = this.#options;
    const state = guest.pass?.state;
    if (state === 'waiting') this.#cut(guest, 'CAPACITY_REACHED', `there was no room within ${handshakeTimeout} ms`);
    else if (state === 'deciding') {
      this.#cut(guest, 'DECISION_TIMEOUT', `onTcpConnect did not answer within ${handshakeTimeout} ms`);
    } else expired(guest);
  }

  /**
   * Whoever waits for the longest time goes: a client sends its request at once, so under a flood of silent connections that is one
   * of the flood. If the newest went, the flood would keep everyone else out until its deadline.
   */
  #makeRoom(): void {
    const { maxPendingHandshakes } = this.#options;
    const { oldest, size } = this.#deadlines;
    if (maxPendingHandshakes <= 0 || size <= maxPendingHandshakes || oldest === undefined) return;
    const message = `it gave way to the newest of ${size} whose request is awaited (limits.maxPendingHandshakes)`;
    this.#cut(oldest, 'CAPACITY_REACHED', message);
  }
}
