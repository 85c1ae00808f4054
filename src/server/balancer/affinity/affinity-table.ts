/** Owns which backend each known client had, for a bounded number of clients. Refuses to know what a client is known by. */
import { Chain, type Chained } from '../../../actors/chain.js';

/** How many clients are remembered at most: beyond that, those who did not come for the longest time are forgotten. */
export const MAX_REMEMBERED = 100_000;

/** Rows that are looked at for each one that is written, so that what is over goes without a timer. */
const SWEPT_PER_ROW = 2;

class Row implements Chained<Row> {
  before: Row | undefined;
  behind: Row | undefined;
  readonly key: string;
  backendId = '';
  /** Milliseconds, by the clock of the table. */
  usedAt = 0;

  constructor(key: string) {
    this.key = key;
  }
}

/** The options of an {@link AffinityTable}. */
export interface AffinityTableOptions {
  /** Milliseconds from the last time that a client came until it is forgotten; 0 for as long as there is room. */
  readonly maxAge: number;
  readonly maxRows?: number | undefined;
  /** Milliseconds of a clock that does not go back. */
  now(): number;
}

/** Clients and their backends, those who came last at the end. */
export class AffinityTable {
  readonly #rows = new Map<string, Row>();
  // The first entry of a map from which the first ones were deleted is found only behind all of those.
  readonly #order = new Chain<Row>();
  readonly #options: AffinityTableOptions;
  readonly #maxRows: number;

  constructor(options: AffinityTableOptions) {
    this.#options = options;
    this.#maxRows = options.maxRows ?? MAX_REMEMBERED;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The id of the backend that this client had; undefined for a client that is not known. */
  backendOf(key: string): string | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    if (!this.#isOver(row)) return row.backendId;
    this.#forget(row);
    return undefined;
  }

  /** The client came, and has this backend now. */
  remember(key: string, backendId: string): void {
    let row = this.#rows.get(key);
    if (row === undefined) {
      this.#sweep();
      row = new Row(key);
      this.#rows.set(key, row);
    } else {
      this.#order.delete(row);
    }
    row.backendId = backendId;
    row.usedAt = this.#options.now();
    this.#order.add(row);
  }

  #sweep(): void {
    for (let looks = SWEPT_PER_ROW; looks > 0; looks -= 1) {
      const { first } = this.#order;
      if (first === undefined || !(this.#isOver(first) || this.#rows.size >= this.#maxRows)) return;
      this.#forget(first);
    }
  }

  #isOver({ usedAt }: Row): boolean {
    const { maxAge, now } = this.#options;
    return maxAge > 0 && now() - usedAt >= maxAge;
  }

  #forget(row: Row): void {
    this.#rows.delete(row.key);
    this.#order.delete(row);
  }
}
