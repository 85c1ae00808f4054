/**
 * Owns state by name for names that strangers choose, such as addresses: bounded, and swept a little with each new entry. Refuses to
 * know what the entries are.
 */

/** Entries that are looked at for each one that is added. */
const SWEPT_PER_ENTRY = 2;

/** How a table treats its entries. */
export interface SweptTableOptions<Entry> {
  create(): Entry;
  /** Whether an entry says no more than a new one would. */
  isIdle(entry: Entry): boolean;
  /** Whether an entry may be forgotten, although it is not idle, when the table is full. */
  isExpendable(entry: Entry): boolean;
  /** Above this, entries are forgotten though they are not idle, the oldest first. */
  readonly maxEntries: number;
}

/**
 * A map that needs no timer and no scan over all of it: each new entry looks at the two that were not looked at for the longest
 * time, and those that are idle go. So it shrinks to what is in use while addresses come and go.
 */
export class SweptTable<Entry> {
  readonly #entries = new Map<string, Entry>();
  readonly #options: SweptTableOptions<Entry>;

  constructor(options: SweptTableOptions<Entry>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** The entry of this key, made if there is none. */
  obtain(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    this.#sweep();
    const made = this.#options.create();
    this.#entries.set(key, made);
    return made;
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  [Symbol.iterator](): IterableIterator<[string, Entry]> {
    return this.#entries[Symbol.iterator]();
  }

  #sweep(): void {
    const { isIdle, isExpendable, maxEntries } = this.#options;
    const isFull = this.#entries.size >= maxEntries;
    let looks = Math.min(SWEPT_PER_ENTRY, this.#entries.size);
    for (const [key, entry] of this.#entries) {
      if (looks === 0) return;
      looks -= 1;
      this.#entries.delete(key);
      if (isIdle(entry)) continue;
      if (isFull && isExpendable(entry)) return;
      // To the end: the others have their turn first.
      this.#entries.set(key, entry);
    }
  }
}
