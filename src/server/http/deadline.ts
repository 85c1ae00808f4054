/** Owns one wait that moves on whenever something happens, on a wheel shared with others. Refuses to know what is waited for. */
import { type TimerWheel, Wait } from '../../actors/timer-wheel.js';

/** A wait that may be begun, put off and given up as often as one likes; that costs nothing but a look at the clock. */
export class Deadline extends Wait {
  readonly #wheel: TimerWheel;
  #delay = 0;
  #from = 0;
  #entered = false;
  #call: (() => void) | undefined;

  constructor(wheel: TimerWheel) {
    super();
    this.#wheel = wheel;
  }

  /** Waits anew: calls back after so many milliseconds without `touch`. 0 waits for ever. */
  begin(delay: number, call: () => void): void {
    this.#leave();
    this.#call = call;
    this.#delay = delay;
    this.#from = performance.now();
    if (delay > 0) this.#enter(delay);
  }

  /** Something happened: the time begins anew. */
  touch(): void {
    this.#from = performance.now();
  }

  /** Waits no more. */
  end(): void {
    this.#leave();
    this.#call = undefined;
  }

  override onDue(): void {
    this.#entered = false;
    const left = this.#from + this.#delay - performance.now();
    if (left > 0) this.#enter(left);
    else this.#call?.();
  }

  #enter(delay: number): void {
    this.#entered = true;
    this.#wheel.enter(this, delay);
  }

  #leave(): void {
    if (this.#entered) this.#wheel.leave(this);
    this.#entered = false;
  }
}
