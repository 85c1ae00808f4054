/**
 * Owns how many accepted connections there are, and who waits for room when a full server pauses (`limits.overflow`). Refuses to
 * refuse: a server that does not pause lets everyone in here, and refuses with 503 when the request is read.
 */
import { type CapacityOptions, hasRoom } from '../../actors/capacity.js';
import { Chain } from '../../actors/chain.js';
import type { Pass } from './pass.js';

/** How many may be seated. */
export interface SeatLimits extends CapacityOptions {
  readonly overflow: 'refuse' | 'pause';
}

/** The connections that are in, and those that wait for one of them to go. */
export class Seats {
  readonly #limits: SeatLimits;
  readonly #waitingClients = new Chain<Pass>();
  readonly #waitingControl = new Chain<Pass>();
  #taken = 0;
  #takenByControl = 0;

  constructor(limits: SeatLimits) {
    this.#limits = limits;
  }

  /** Connections that are in. */
  get taken(): number {
    return this.#taken;
  }

  /** Connections that wait. */
  get waiting(): number {
    return this.#waitingClients.size + this.#waitingControl.size;
  }

  /** Takes a seat, or a place in the queue; then `pass.onSettled` tells when it has one. */
  take(pass: Pass): void {
    if (this.#hasRoomFor(pass)) this.#seat(pass);
    else {
      pass.state = 'waiting';
      this.#queueOf(pass).add(pass);
    }
  }

  /** Gives back what it has, if anything, and lets the next ones in. */
  giveBack(pass: Pass): void {
    if (!pass.seated) {
      if (pass.state === 'waiting') this.#queueOf(pass).delete(pass);
      return;
    }
    pass.seated = false;
    this.#taken -= 1;
    if (pass.role === 'control') this.#takenByControl -= 1;
    // Whoever is told may leave at once, which lets in the next one.
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#queueOf(next).delete(next);
      this.#seat(next);
      const { onSettled } = next;
      next.onSettled = undefined;
      onSettled?.();
    }
  }

  /** Who waits for the longest time and has room now; control channels first. */
  #next(): Pass | undefined {
    for (const { first } of [this.#waitingControl, this.#waitingClients]) {
      if (first !== undefined && this.#hasRoomFor(first)) return first;
    }
    return undefined;
  }

  #queueOf({ role }: Pass): Chain<Pass> {
    return role === 'control' ? this.#waitingControl : this.#waitingClients;
  }

  #seat(pass: Pass): void {
    pass.state = 'admitted';
    pass.seated = true;
    this.#taken += 1;
    if (pass.role === 'control') this.#takenByControl += 1;
  }

  #hasRoomFor({ role }: Pass): boolean {
    return this.#limits.overflow === 'refuse' || hasRoom(this.#limits, role, this.#taken, this.#takenByControl);
  }
}
