/**
 * Owns whether the client of one connection may be read: the wishes to pause, the chart's word, and that nothing is read
 * before `onOpen` is done. Refuses to know backpressure between the wires; the data path does.
 */
import type { Counterpart } from './connection.host.js';
import type { DownstreamPort } from './downstream.port.js';

/** Who wishes to pause; reading goes on when nobody is left. */
export type PauseReason = 'application' | 'backlog' | 'dialling';

/** Whose reading it is: the connection actor. */
export interface ReadingOwner {
  readonly port: DownstreamPort;
  send(event: { type: 'read.pause' | 'read.resume' }): void;
}

/** Shared by all that nobody pauses, which are nearly all. */
const NOBODY: readonly PauseReason[] = [];

/** The reading of one connection. */
export class Reading {
  readonly #owner: ReadingOwner;
  #reasons: readonly PauseReason[] = NOBODY;
  /** The chart's word. */
  #allowed = true;
  #started = false;

  constructor(owner: ReadingOwner) {
    this.#owner = owner;
  }

  /** Who wishes to pause now. */
  get reasons(): readonly PauseReason[] {
    return this.#reasons;
  }

  hold(reason: PauseReason): void {
    const first = this.#reasons.length === 0;
    if (!this.#reasons.includes(reason)) this.#reasons = [...this.#reasons, reason];
    if (first) this.#owner.send({ type: 'read.pause' });
  }

  release(reason: PauseReason): void {
    if (!this.#reasons.includes(reason)) return;
    this.#reasons = this.#reasons.filter((one) => one !== reason);
    if (this.#reasons.length === 0) this.#owner.send({ type: 'read.resume' });
  }

  /** Callbacks are behind, or have caught up: neither side of the pair is read meanwhile. */
  backlog(high: boolean, counterpart: Counterpart | undefined): void {
    if (high) {
      this.hold('backlog');
      counterpart?.hold();
    } else {
      this.release('backlog');
      counterpart?.release();
    }
  }

  /** The connection is open: a wish that came up before there was anything to pause is told again. */
  opened(): void {
    if (this.#reasons.length > 0) this.#owner.send({ type: 'read.pause' });
  }

  /** `onOpen` is done. */
  start(): void {
    this.#started = true;
    this.#read();
  }

  /** The chart paused. */
  pause(): void {
    this.#allowed = false;
    this.#owner.port.stopReading();
  }

  /** The chart resumed; the transition is over. */
  resume(): void {
    this.#allowed = true;
    this.#read();
  }

  #read(): void {
    if (this.#allowed && this.#started) this.#owner.port.read();
  }
}
