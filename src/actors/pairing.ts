/**
 * Owns one place on a backend, from the pick on: reserved, then paired with a connection, then over. Counts once and is given back
 * once, whatever happens in between. Refuses to know how the backend is reached.
 */
import type { BackendInfo, BackendSpec } from './backend.js';
import type { Chained } from './chain.js';
import type { Ending } from './ending.js';

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
  paired(pairing: Pairing): void;
  released(pairing: Pairing, end: PairingEnd): void;
}

/** How the use of a place came to its end, for the health of the backend. */
export type PairingEnd = 'ended' | 'failed' | 'lost' | 'unused';

/** One place on a backend. */
export class Pairing implements Chained<Pairing> {
  before: Pairing | undefined;
  behind: Pairing | undefined;
  /** Whether the application was told of the pair. */
  isTold = false;
  readonly backend: PairedBackend;
  #occupant: Occupant | undefined;
  #phase: 'reserved' | 'paired' | 'over' = 'reserved';
  #pairedAt = 0;

  /** Made by the `reserve` of its backend only. */
  constructor(backend: PairedBackend) {
    this.backend = backend;
  }

  get occupant(): Occupant | undefined {
    return this.#occupant;
  }

  get isPaired(): boolean {
    return this.#phase === 'paired';
  }

  /** Milliseconds since it was paired. */
  get age(): number {
    return this.#phase === 'reserved' ? 0 : performance.now() - this.#pairedAt;
  }

  /** The backend was reached. */
  paired(occupant: Occupant): void {
    if (this.#phase !== 'reserved') return;
    this.#phase = 'paired';
    this.#occupant = occupant;
    this.#pairedAt = performance.now();
    this.backend.paired(this);
  }

  /**
   * The place is free again. The first call counts.
   *
   * @param end `failed`: the backend could not be reached or answered with an error; `lost`: what was there broke; `ended`: it came to
   * its end; `unused`: it was not needed after all, which says nothing about the backend.
   */
  release(end: PairingEnd): void {
    if (this.#phase === 'over') return;
    this.backend.released(this, end);
    this.#phase = 'over';
    this.#occupant = undefined;
  }
}
