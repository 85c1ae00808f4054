/**
 * Owns what a transition asked for that must not happen inside it: callbacks and events to other actors. It happens right
 * after, so that the state is true by then and no chart runs inside another's action. Refuses to know what it holds.
 */
import type { ChartObserver } from './compiled-chart.js';

/** An actor with an outbox, as the port of its chart. */
interface OutboxOwner {
  readonly outbox: Outbox;
  /** An effect threw, which none may. */
  crashed(error: unknown): void;
}

/** For charts whose port has an outbox. */
export const outboxObserver: ChartObserver = {
  failed: (context, error) => ownerIn(context).crashed(error),
  timerDone: (context) => ownerIn(context).outbox.settle(),
};

function ownerIn(context: unknown): OutboxOwner {
  return (context as { readonly port: OutboxOwner }).port;
}

export class Outbox {
  /** Nothing most of the time, and an array for each connection adds up. */
  #items: Array<() => void> | undefined;
  #depth = 0;
  #flushing = false;

  push(item: () => void): void {
    this.#items ??= [];
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
    if (this.#depth === 0 && this.#items !== undefined) queueMicrotask(() => this.#flush());
  }

  #next(): (() => void) | undefined {
    const item = this.#items?.shift();
    if (this.#items?.length === 0) this.#items = undefined;
    return item;
  }

  #flush(): void {
    if (this.#flushing || this.#items === undefined) return;
    this.#flushing = true;
    try {
      for (let item = this.#next(); item !== undefined; item = this.#next()) item();
    } finally {
      this.#flushing = false;
      // One that throws must not keep the others from happening.
      if (this.#items !== undefined) this.#flush();
    }
  }
}
