/** Owns the policy of `admission.rate`. Refuses to keep the buckets of addresses: the census does. */
import type { Census } from './census.js';
import type { AdmissionPolicy, Denial, Peer } from './policy.js';
import { type Bucket, type Rate, takeToken } from './token-bucket.js';

/** Lets an address, and all of them together, make so many connections a second. */
export class ConnectionRate implements AdmissionPolicy {
  readonly name = 'connection-rate';
  readonly #census: Census;
  readonly #perAddress: Rate;
  readonly #total: Rate;
  readonly #all: Bucket;

  /** A rate of 0 is none. */
  constructor(census: Census, perAddress: Rate, total: Rate) {
    this.#census = census;
    this.#perAddress = perAddress;
    this.#total = total;
    this.#all = { tokens: total.burst, filledAt: census.now() };
  }

  connection({ remoteAddress }: Peer): Denial | undefined {
    const now = this.#census.now();
    // The address comes first: whoever is too fast takes nothing from the others.
    if (this.#perAddress.perSecond > 0) {
      const record = this.#census.recordOf(remoteAddress);
      const wait = record === undefined ? 0 : takeToken(record, this.#perAddress, now);
      if (wait > 0) return tooFast(`${remoteAddress} connects too fast (admission.rate.perAddress)`, wait);
    }
    if (this.#total.perSecond > 0) {
      const wait = takeToken(this.#all, this.#total, now);
      if (wait > 0) return tooFast('there are too many new connections (admission.rate.total)', wait);
    }
    return undefined;
  }
}

function tooFast(message: string, milliseconds: number): Denial {
  return { error: 'RATE_LIMITED', message, retryAfter: Math.max(1, Math.ceil(milliseconds / 1000)) };
}
