/** Owns how many dials of a server are under way at a time, and the order of those that have to wait. Refuses to dial. */
import PQueue from 'p-queue';

/** One dial, from its beginning to its success or failure, which it deals with itself: the promise never rejects. */
export type Dial = () => Promise<void>;

/** Lets dials begin. One that need not wait begins at once, and costs no place in a queue. */
export class DialQueue {
  readonly #most: number;
  readonly #waiting = new PQueue({ concurrency: 1, autoStart: false });
  #running = 0;

  /** @param most how many may be under way at a time. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many are under way. */
  get running(): number {
    return this.#running;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Begins a dial when it is its turn. */
  add(dial: Dial): void {
    if (this.#running < this.#most && this.#waiting.size === 0) this.#begin(dial);
    else void this.#waiting.add(() => this.#begin(dial));
  }

  #begin(dial: Dial): void {
    this.#running += 1;
    if (this.#running >= this.#most) this.#waiting.pause();
    void dial().then(this.#ended);
  }

  readonly #ended = (): void => {
    this.#running -= 1;
    if (this.#waiting.size > 0) this.#waiting.start();
  };
}
