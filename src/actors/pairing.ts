/**
 * Owns one place on a backend, from the pick on: reserved, then paired with a connection, then over. Counts once and is given back
 * once, whatever happens in between. Refuses to know how the backend is reached.
 */
import type { BackendInfo, BackendSpec } from './backend.js';
import type { Chained } from './chain.js';
import type { Ending } from './ending.js';
import type { Trial } from './trial.js';

/** Who a place was taken for, so that it can be sent away when the backend goes. */
export interface Occupant {
  close(ending: Ending): void;
  requestTerminate(ending: Ending): void;
}

/** The backend that a place is on. */
export interface PairedBackend {
  readonly id: string;
  readonly spec: BackendSpec;
  /** Ready and well, with room or without. */
  readonly isServing: boolean;
  info(): BackendInfo;
  /** Milliseconds, on a clock that never goes back. */
  now(): number;
  paired(pairing: Pairing): void;
  released(pairing: Pairing, end: PairingEnd): void;
}

/**
 * How the use of a place came to its end, for the health of the backend.
 *
 * - `ended`: it was used and came to its end; or the backend answered, so that it is there, and turned the client down.
 * - `failed`: the backend could not be reached or answered with an error.
 * - `lost`: what was there broke.
 * - `redirected`: the client goes there by itself; it counts on until the backend reports it, or for a few seconds.
 * - `unused`: it was not needed after all, which says nothing about the backend.
 */
export type PairingEnd = 'ended' | 'failed' | 'lost' | 'redirected' | 'unused';

/** One place on a backend. */
export class Pairing implements Chained<Pairing> {
  before: Pairing | undefined;
  behind: Pairing | undefined;
  /** Whether the application was told of the pair. */
  isTold = false;
  readonly backend: PairedBackend;
  /** What it helps to find out; undefined for a backend that is well. */
  readonly trial: Trial | undefined;
  #occupant: Occupant | undefined;
  #isOver = false;
  #pairedAt: number | undefined;

  /** Made by the `reserve` of its backend only. */
  constructor(backend: PairedBackend, trial?: Trial) {
    this.backend = backend;
    this.trial = trial;
  }

  get occupant(): Occupant | undefined {
    return this.#occupant;
  }

  /** Whether the backend was reached; stays so when it is over. */
  get wasPaired(): boolean {
    return this.#pairedAt !== undefined;
  }

  /** Milliseconds since it was paired; 0 before. */
  get age(): number {
    return this.#pairedAt === undefined ? 0 : this.backend.now() - this.#pairedAt;
  }

  /** The backend was reached. The first call counts, before the place is released. */
  paired(occupant: Occupant): void {
    if (this.#isOver || this.wasPaired) return;
    this.#occupant = occupant;
    this.#pairedAt = this.backend.now();
    this.backend.paired(this);
  }

  /** Tells whoever is on it to go; nobody is when it is over. */
  close(ending: Ending): void {
    this.#occupant?.close(ending);
  }

  /** Cuts off whoever is on it. */
  terminate(ending: Ending): void {
    this.#occupant?.requestTerminate(ending);
  }

  /** The place is free again. The first call counts. */
  release(end: PairingEnd): void {
    if (this.#isOver) return;
    // First of all: whoever is told may call again.
    this.#isOver = true;
    this.#occupant = undefined;
    this.backend.released(this, end);
  }
}
