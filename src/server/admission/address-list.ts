/** Owns the policy of `admission.allow` and `admission.deny`. Refuses to know how addresses are written. */
import { AddressSet } from '../../protocol/address-set.js';
import type { AdmissionPolicy, Denial, Peer } from './policy.js';

/** Lets in who is on the first list, if there is one, and not on the second. */
export class AddressList implements AdmissionPolicy {
  readonly name = 'address-list';
  readonly #allow: AddressSet | undefined;
  readonly #deny: AddressSet;

  /** @param allow empty for everyone. @param deny wins over `allow`. */
  constructor(allow: readonly string[], deny: readonly string[]) {
    this.#allow = allow.length === 0 ? undefined : new AddressSet(allow);
    this.#deny = new AddressSet(deny);
  }

  connection({ remoteAddress }: Peer): Denial | undefined {
    if (this.#deny.has(remoteAddress)) {
      return { error: 'ADDRESS_DENIED', message: `${remoteAddress} is in admission.deny` };
    }
    if (this.#allow?.has(remoteAddress) === false) {
      return { error: 'ADDRESS_DENIED', message: `${remoteAddress || 'an unknown address'} is not in admission.allow` };
    }
    return undefined;
  }
}
