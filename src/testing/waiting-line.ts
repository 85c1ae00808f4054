/** Owns waiting for something that is written down somewhere: whoever waits looks again whenever something was. Refuses to keep it. */

/** Those who wait. */
export class WaitingLine {
  #waiting: Array<() => boolean> = [];

  /** Something changed. */
  notify(): void {
    this.#waiting = this.#waiting.filter((look) => !look());
  }

  /**
   * Resolves with what `find` finds, now or after a `notify`.
   *
   * @param inVain why it will never be found; the promise rejects with it.
   */
  until<Found>(find: () => Found | undefined, inVain: () => Error | undefined = () => undefined): Promise<Found> {
    return new Promise((resolve, reject) => {
      const look = (): boolean => {
        const found = find();
        if (found !== undefined) {
          resolve(found);
          return true;
        }
        const error = inVain();
        if (error !== undefined) reject(error);
        return error !== undefined;
      };
      if (!look()) this.#waiting.push(look);
    });
  }
}
