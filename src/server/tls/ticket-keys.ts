/**
 * Owns the keys of session tickets that the listeners of a server share, and changing them from time to time. Refuses to know
 * what is in a ticket.
 */
import { randomBytes } from 'node:crypto';
import { TICKET_KEY_BYTES } from './context-set.js';

/** Who is told of new keys; a `tls.Server` is one. */
export interface TicketKeyUser {
  setTicketKeys(keys: Buffer): void;
}

/** How long keys are used: what a thief of the process's memory could read afterwards is no longer than that. */
const ROTATION_MS = 12 * 60 * 60 * 1000;

/**
 * Keys for session tickets. They outlive a restart of the listeners and a reload of certificates, so that clients which come back
 * then need no full handshake. New keys make the tickets under the old ones worthless: their clients do one full handshake.
 */
export class TicketKeys {
  readonly #users = new Set<TicketKeyUser>();
  readonly #rotation: number;
  #keys: Buffer = randomBytes(TICKET_KEY_BYTES);
  #made = Date.now();
  #timer: NodeJS.Timeout | undefined;

  /** @param rotation milliseconds until the keys are changed. */
  constructor(rotation: number = ROTATION_MS) {
    this.#rotation = rotation;
  }

  get keys(): Buffer {
    if (this.#timer === undefined && Date.now() - this.#made >= this.#rotation) this.rotate();
    return this.#keys;
  }

  /** Tells somebody of new keys from now on. Holds a timer until the last one is detached. */
  attach(user: TicketKeyUser): void {
    this.#users.add(user);
    this.#timer ??= setInterval(() => this.rotate(), this.#rotation).unref();
  }

  detach(user: TicketKeyUser): void {
    this.#users.delete(user);
    if (this.#users.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Makes new keys. */
  rotate(): void {
    this.#keys = randomBytes(TICKET_KEY_BYTES);
    this.#made = Date.now();
    for (const user of this.#users) user.setTicketKeys(this.#keys);
  }
}
