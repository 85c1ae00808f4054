/** Owns waiting for answers of the application, each for a bounded time, and giving all of them up at the end. Refuses to ask. */
import { TidegateError } from '../../../receivers/index.js';

/** What is waited for, until the server stops. */
export class BoundedWaits {
  readonly #waiting = new Set<(reason: TidegateError) => void>();

  /**
   * Settles as the promise does, or rejects when that takes too long.
   *
   * @param milliseconds 0 for as long as it takes.
   * @param late says what took too long.
   */
  wait<Result>(found: Promise<Result>, milliseconds: number, late: () => TidegateError): Promise<Result> {
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(giveUp);
        how();
      };
      const giveUp = (reason: TidegateError): void => settle(() => reject(reason));
      const timer = milliseconds === 0 ? undefined : setTimeout(() => giveUp(late()), milliseconds);
      this.#waiting.add(giveUp);
      found.then(
        (result) => settle(() => resolve(result)),
        (error) => settle(() => reject(error)),
      );
    });
  }

  /** Gives everything up; no timer is left. */
  close(): void {
    for (const giveUp of [...this.#waiting]) giveUp(new TidegateError('SHUTTING_DOWN', 'the server is stopping'));
  }
}
