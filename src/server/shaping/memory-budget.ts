/**
 * Owns how many bytes are held for all connections of a server together, and who is let go of when that is too many. Looks at those that
 * hold something only, and only while there are some. Refuses to know what is held.
 */
import { Chain, type Chained } from '../../actors/chain.js';

/** Somebody who holds bytes. */
export interface Holder {
  /** Kept here by the budget while it is looked at. */
  holding: Holding | undefined;
  readonly heldBytes: number;
  /** Ends politely; what is held may go on to be written for a while. */
  letGo(): void;
  /** Ends at once, and holds nothing any more. */
  cut(): void;
}

/** A holder that is looked at. */
export interface Holding extends Chained<Holding> {
  readonly holder: Holder;
  /** It has held something all the time since then. */
  readonly since: number;
  /** It was let go of. */
  told: boolean;
}

/** How often the holders are looked at. */
const LOOK_EVERY_MS = 100;

/** What a server may hold. */
export class MemoryBudget {
  /** Bytes that came before a handshake was answered. */
  early = 0;
  readonly #most: number;
  readonly #holdings = new Chain<Holding>();
  #timer: NodeJS.Timeout | undefined;
  #held = 0;

  /** @param most bytes; 0 for any number. */
  constructor(most: number) {
    this.#most = most > 0 ? most : Number.POSITIVE_INFINITY;
  }

  /** Bytes held now. */
  get heldBytes(): number {
    let held = this.early;
    for (const { holder } of this.#holdings) held += holder.heldBytes;
    return held;
  }

  /** Whether new connections are to be refused: too much was held when it was looked at last, and is now. */
  get overloaded(): boolean {
    return this.#held + this.early > this.#most && this.heldBytes > this.#most;
  }

  /** Begins to look at somebody who holds something, until it holds nothing. */
  note(holder: Holder): void {
    if (holder.holding !== undefined) return;
    const holding: Holding = { holder, since: performance.now(), told: false, before: undefined, behind: undefined };
    holder.holding = holding;
    this.#holdings.add(holding);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#held = 0;
    for (const { holder } of this.#holdings.clear()) holder.holding = undefined;
  }

  #look(): void {
    this.#held = 0;
    for (const holding of this.#holdings) {
      const { heldBytes } = holding.holder;
      this.#held += heldBytes;
      if (heldBytes > 0) continue;
      this.#holdings.delete(holding);
      holding.holder.holding = undefined;
    }
    if (this.#holdings.size === 0) this.stop();
    else if (this.overloaded) this.#shed();
  }

  /** The slowest first: who holds the most for the longest. */
  #shed(): void {
    const now = performance.now();
    const weighed = [...this.#holdings].map((holding) => {
      const bytes = holding.holder.heldBytes;
      return { holding, bytes, weight: bytes * (now - holding.since) };
    });
    let excess = this.#held + this.early - this.#most;
    for (const { holding, bytes } of weighed.sort((one, other) => other.weight - one.weight)) {
      // Those that were let go of before had their time.
      if (!holding.told && excess <= 0) continue;
      if (holding.told) holding.holder.cut();
      else holding.holder.letGo();
      holding.told = true;
      excess -= bytes;
    }
  }
}
