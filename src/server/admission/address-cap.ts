/** Owns the policy of `limits.maxConnectionsPerAddress`. Refuses to keep the counts: the census does. */
import type { Census } from './census.js';
import type { AdmissionPolicy, Denial, Peer } from './policy.js';

/** Lets an address have so many connections at a time, those in their handshake among them. */
export class AddressCap implements AdmissionPolicy {
  readonly name = 'connections-per-address';
  readonly #census: Census;
  readonly #max: number;

  constructor(census: Census, max: number) {
    this.#census = census;
    this.#max = max;
  }

  connection({ remoteAddress }: Peer): Denial | undefined {
    const record = this.#census.recordOf(remoteAddress);
    if (record === undefined) return undefined;
    if (record.connections >= this.#max) {
      return {
        error: 'TOO_MANY_CONNECTIONS',
        message: `${remoteAddress} has ${record.connections} connections (limits.maxConnectionsPerAddress)`,
      };
    }
    record.connections += 1;
    return undefined;
  }

  release({ remoteAddress }: Peer): void {
    const record = this.#census.recordOf(remoteAddress);
    if (record !== undefined && record.connections > 0) record.connections -= 1;
  }
}
