/**
 * Owns whether a wire is read: only when the chart allows it and nobody down the path is blocked. Refuses to know why.
 */
import type { Wire } from '../wires/wire.js';

/** The reading side of one wire. */
export class Intake {
  #wire: Wire;
  #allowed = false;
  #blocked = false;
  #wasDeaf = true;
  #started = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Whether the wire is read now, as far as it is for us to say. */
  get reading(): boolean {
    return this.#allowed && !this.#blocked;
  }

  /** Another wire stands before the one that was read. */
  rewire(wire: Wire): void {
    this.#wire = wire;
  }

  /** The chart says that this side may be read. */
  allow(): void {
    this.#allowed = true;
    this.#update();
    // The time before there was anything to read does not excuse a peer's silence afterwards.
    if (!this.#started) this.#wasDeaf = this.#blocked;
    this.#started = true;
  }

  forbid(): void {
    this.#allowed = false;
    this.#update();
  }

  /** Where the bytes go is full: the mechanism of backpressure, at once and without an event. */
  block(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    this.#update();
  }

  unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#update();
  }

  /** True when there was a time since the last call in which nothing was read. */
  takeDeafness(): boolean {
    const deaf = this.#wasDeaf;
    this.#wasDeaf = !this.#allowed || this.#blocked;
    return deaf;
  }

  #update(): void {
    if (this.#allowed && !this.#blocked) {
      this.#wire.read();
      return;
    }
    this.#wasDeaf = true;
    // Behind a full wire nothing more is to be held; a mere pause should not miss that the peer is gone.
    if (this.#blocked) this.#wire.stopReading();
    else this.#wire.watch();
  }
}
