/**
 * Owns a client's socket from its upgrade request to the answer: it is read on, because a socket that is not read does not
 * tell that its client left; what comes early is kept, up to a bound. Refuses to look into it.
 */
import type { MemoryBudget } from '../shaping/memory-budget.js';
import type { Wire, WireReader } from '../wires/wire.js';

/** How many pieces are kept before they are joined. */
const MAX_PIECES = 64;

/** Reads a wire before there is a data path. */
export class EarlyReader implements WireReader {
  readonly #wire: Wire;
  readonly #bound: number;
  readonly #onGone: () => void;
  readonly #budget: MemoryBudget;
  #early: Buffer[] = [];
  #size = 0;
  #done = false;

  /** @param onGone called once when the client ends or resets the connection. */
  constructor(wire: Wire, bound: number, budget: MemoryBudget, onGone: () => void) {
    this.#wire = wire;
    this.#bound = bound;
    this.#onGone = onGone;
    this.#budget = budget;
    wire.attach(this);
    wire.read();
  }

  /** Ends the early phase: what came is given back to the wire, which reads nothing until it is told to. */
  finish(): void {
    this.#end();
    // Before the watch: a wire that keeps bytes already takes in no more.
    if (this.#early.length > 0) this.#wire.unread(Buffer.concat(this.#early));
    this.#wire.watch();
    this.#early = [];
  }

  onBytes(chunk: Buffer): void {
    if (this.#done) return;
    // Joined now and then: a client that drips single bytes costs its bytes, and not an object for each.
    if (this.#early.length >= MAX_PIECES) this.#early = [Buffer.concat(this.#early)];
    this.#early.push(Buffer.from(chunk));
    this.#size += chunk.length;
    this.#budget.early += chunk.length;
    if (this.#size >= this.#bound) this.#wire.stopReading();
  }

  onEnd(): void {
    this.#gone();
  }

  onDrain(): void {}

  onClosed(): void {
    this.#gone();
  }

  #gone(): void {
    if (this.#done) return;
    this.#end();
    this.#onGone();
  }

  #end(): void {
    if (!this.#done) this.#budget.early -= this.#size;
    this.#done = true;
  }
}
