/**
 * Owns state by name for names that strangers choose, such as addresses: bounded, and swept a little with each new entry. Refuses to
 * know what the entries are.
 */

import { Chain, type Chained } from '../../actors/chain.js';

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

/** A name and what is known about it, in the order in which they are looked at. */
class Row<Entry> implements Chained<Row<Entry>> {
  before: Row<Entry> | undefined;
  behind: Row<Entry> | undefined;
  readonly key: string;
  readonly entry: Entry;

  constructor(key: string, entry: Entry) {
    this.key = key;
    this.entry = entry;
  }
}

/**
 * A map that needs no timer and no scan over all of it: each new entry looks at the two that were not looked at for the longest
 * time, and those that are idle go. So it shrinks to what is in use while addresses come and go.
 */
export class SweptTable<Entry> {
  readonly #rows = new Map<string, Row<Entry>>();
  // The first entry of a map from which the first ones were deleted is found only behind all of those.
  readonly #order = new Chain<Row<Entry>>();
  readonly #options: SweptTableOptions<Entry>;

  constructor(options: SweptTableOptions<Entry>) {
    this.#options = options;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): Entry | undefined {
    return this.#rows.get(key)?.entry;
  }

  /** The entry of this key, made if there is none. */
  obtain(key: string): Entry {
    const known = this.#rows.get(key);
    if (known !== undefined) return known.entry;
    this.#sweep();
    const row = new Row(key, this.#options.create());
    this.#rows.set(key, row);
    this.#order.add(row);
    return row.entry;
  }

  delete(key: string): void {
    const row = this.#rows.get(key);
    if (row !== undefined) this.#drop(row);
  }

  /** Every key with its entry. */
  all(): [key: string, entry: Entry][] {
    return [...this.#order].map(({ key, entry }) => [key, entry]);
  }

  #sweep(): void {
    const { isIdle, isExpendable, maxEntries } = this.#options;
    const isFull = this.#rows.size >= maxEntries;
    for (let looks = Math.min(SWEPT_PER_ENTRY, this.#rows.size); looks > 0; looks -= 1) {
      const row = this.#order.first;
      if (row === undefined) return;
      if (isIdle(row.entry)) this.#drop(row);
      else if (isFull && isExpendable(row.entry)) {
        this.#drop(row);
        return;
      } else {
        // To the end: the others have their turn first.
        this.#order.delete(row);
        this.#order.add(row);
      }
    }
  }

  #drop(row: Row<Entry>): void {
    this.#rows.delete(row.key);
    this.#order.delete(row);
  }
}
