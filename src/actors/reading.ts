/**
 * Owns whether the client of one connection may be read: the wishes to pause, the chart's word, and that nothing is read
 * before `onOpen` is done. Refuses to know backpressure between the wires; the data path does.
 */
import type { DownstreamPort } from './downstream.port.js';

/** Who wishes to pause; reading goes on when nobody is left. */
export type PauseReason = 'application' | 'backlog' | 'dialling';

/** The reading of one connection. */
export class Reading {
  readonly #port: () => DownstreamPort;
  readonly #send: (event: { type: 'read.pause' | 'read.resume' }) => void;
  readonly #reasons = new Set<PauseReason>();
  /** The chart's word. */
  #allowed = true;
  #started = false;

  constructor(port: () => DownstreamPort, send: (event: { type: 'read.pause' | 'read.resume' }) => void) {
    this.#port = port;
    this.#send = send;
  }

  hold(reason: PauseReason): void {
    const first = this.#reasons.size === 0;
    this.#reasons.add(reason);
    if (first) this.#send({ type: 'read.pause' });
  }

  release(reason: PauseReason): void {
    if (this.#reasons.delete(reason) && this.#reasons.size === 0) this.#send({ type: 'read.resume' });
  }

  /** The connection is open: a wish that came up before there was anything to pause is told again. */
  opened(): void {
    if (this.#reasons.size > 0) this.#send({ type: 'read.pause' });
  }

  /** `onOpen` is done. */
  start(): void {
    this.#started = true;
    this.#read();
  }

  /** The chart paused. */
  pause(): void {
    this.#allowed = false;
    this.#port().stopReading();
  }

  /** The chart resumed; the transition is over. */
  resume(): void {
    this.#allowed = true;
    this.#read();
  }

  #read(): void {
    if (this.#allowed && this.#started) this.#port().read();
  }
}
