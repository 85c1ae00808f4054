/**
 * Owns what a transition asked for that must not happen inside it: callbacks and events to other actors. It happens right
 * after, so that the state is true by then and no chart runs inside another's action. Refuses to know what it holds.
 */
export class Outbox {
  #items: Array<() => void> = [];
  #depth = 0;
  #flushing = false;

  push(item: () => void): void {
    this.#items.push(item);
  }

  /** Makes a transition, and afterwards what it put in. */
  around(transition: () => void): void {
    this.#depth += 1;
    try {
      transition();
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) this.#flush();
    }
  }

  /** To be called after every transition: one that a timer made has nothing around it. */
  settle(): void {
    if (this.#depth === 0 && this.#items.length > 0) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) item();
    } finally {
      this.#flushing = false;
      // One that throws must not keep the others from happening.
      if (this.#items.length > 0) this.#flush();
    }
  }
}
