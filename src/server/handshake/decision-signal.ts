/**
 * Owns the abort signal of one decision, made when the application asks for it: most never do, and a signal costs more than
 * reading a request head. Refuses to know why it aborts.
 */

/** A signal that does not exist before it is asked for. */
export class DecisionSignal {
  #controller: AbortController | undefined;
  #aborted = false;
  #reason: unknown;

  /** Whether anybody has it. */
  get asked(): boolean {
    return this.#controller !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
