/** Owns how many connections each address has, and how fast it made them. Refuses to judge that; policies do. */
import { networkOf } from '../../protocol/ip-address.js';
import { SweptTable } from './swept-table.js';
import { type Bucket, isFull, type Rate } from './token-bucket.js';

/** Addresses that are remembered although they have no connection. One takes about 200 bytes. */
const MAX_ADDRESSES = 65_536;

/** What is known about one address, or about one /64 network of IPv6. */
export interface AddressRecord extends Bucket {
  connections: number;
}

/** What a census needs. */
export interface CensusOptions {
  /** How fast one address may connect. */
  readonly rate: Rate;
  /** Addresses that stand for many clients, and are not counted. */
  isExempt(address: string): boolean;
  /** Milliseconds, on a clock that never goes back. */
  now(): number;
}

/** The record of each address that connects. Those with connections are never forgotten: sockets bound them. */
export class Census {
  readonly now: () => number;
  readonly #isExempt: (address: string) => boolean;
  readonly #table: SweptTable<AddressRecord>;
  // Several policies ask about the same address, one right after the other.
  #lastAddress: string | undefined;
  #last: AddressRecord | undefined;

  constructor({ rate, isExempt, now }: CensusOptions) {
    this.now = now;
    this.#isExempt = isExempt;
    this.#table = new SweptTable<AddressRecord>({
      create: () => ({ connections: 0, tokens: rate.burst, filledAt: now() }),
      isIdle: (record) => record.connections === 0 && isFull(record, rate, now()),
      isExpendable: ({ connections }) => connections === 0,
      maxEntries: MAX_ADDRESSES,
    });
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#table.size;
  }

  /** The record of an address; undefined for one that is not counted. */
  recordOf(address: string): AddressRecord | undefined {
    if (address === this.#lastAddress) return this.#last;
    const record = address === '' || this.#isExempt(address) ? undefined : this.#table.obtain(networkOf(address));
    // A record is kept while it is asked about: what was swept meanwhile is idle, and made again.
    this.#lastAddress = address;
    this.#last = record;
    return record;
  }
}
