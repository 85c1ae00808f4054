/**
 * Owns what waits to be sent on one connection: by level, and within a level in the order in which it came. Refuses to know what it is
 * or when it may go.
 */
import { Chain, type Chained } from '../../actors/chain.js';

/** What is done with a send for which there is no room. */
export type Overflow = 'reject' | 'drop-oldest' | 'drop-newest' | 'close';

/** In which order the sends of an application leave while they wait: the lowest level first. */
export interface Priorities {
  readonly text: number;
  readonly binary: number;
  readonly ping: number;
}

/** One thing that waits. */
export interface Waiter<Item> extends Chained<Waiter<Item>> {
  readonly item: Item;
  /** What it counts for in `SendQueue.bytes`. */
  readonly bytes: number;
  readonly level: number;
  /** The payload bytes of a message that the application sent, or one of the two below. */
  readonly own: number;
}

/** A ping of the application. */
export const PING = -1;

/** What is passed on for somebody else, and never dropped. */
const PASSED = -2;

/** The level of what is passed on, which goes before whatever is less important than the most important kind of send. */
export function passedLevel({ text, binary }: Priorities): number {
  return Math.min(text, binary);
}

/** A queue with levels. */
export class SendQueue<Item> {
  /** The most important first. There are seldom more than one. */
  #levels: { readonly level: number; readonly chain: Chain<Waiter<Item>> }[] = [];
  #bytes = 0;
  #size = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#size;
  }

  push(item: Item, bytes: number, level: number, own = PASSED): void {
    this.#chain(level).add({ item, bytes, level, own, before: undefined, behind: undefined });
    this.#bytes += bytes;
    this.#size += 1;
  }

  /** Takes out what goes next. */
  shift(): Item | undefined {
    for (const { chain } of this.#levels) {
      const { first } = chain;
      if (first === undefined) continue;
      this.#remove(chain, first);
      return first.item;
    }
    return undefined;
  }

  /**
   * Takes out one send of the application, of the least important level there is, to make room for one of this level: nothing that is more
   * important. Of the same level the oldest may go, never the newest: that is the one that has no room. Answers as `Waiter.own` does.
   */
  drop(which: 'oldest' | 'newest', forLevel: number): number | undefined {
    for (const { level, chain } of this.#levels.toReversed()) {
      if (level < forLevel || (level === forLevel && which === 'newest')) return undefined;
      let waiter = which === 'oldest' ? chain.first : chain.last;
      while (waiter !== undefined && waiter.own === PASSED) {
        waiter = which === 'oldest' ? waiter.behind : waiter.before;
      }
      if (waiter === undefined) continue;
      this.#remove(chain, waiter);
      return waiter.own;
    }
    return undefined;
  }

  /** Takes out every send of the application. */
  clear(): number[] {
    const dropped: number[] = [];
    for (const { chain } of this.#levels) {
      for (const waiter of chain) {
        if (waiter.own === PASSED) continue;
        this.#remove(chain, waiter);
        dropped.push(waiter.own);
      }
    }
    return dropped;
  }

  #chain(level: number): Chain<Waiter<Item>> {
    const found = this.#levels.find((one) => one.level === level);
    if (found !== undefined) return found.chain;
    const chain = new Chain<Waiter<Item>>();
    this.#levels = [...this.#levels, { level, chain }].sort((one, other) => one.level - other.level);
    return chain;
  }

  #remove(chain: Chain<Waiter<Item>>, waiter: Waiter<Item>): void {
    chain.delete(waiter);
    this.#bytes -= waiter.bytes;
    this.#size -= 1;
  }
}
