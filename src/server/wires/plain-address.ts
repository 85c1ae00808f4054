/** Owns how the address of a peer is written, wherever it is shown. */

const MAPPED = '::ffff:';

/** A dual-stack listener shows IPv4 clients as `::ffff:192.0.2.1`; rules and logs want `192.0.2.1`. Empty for none. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}
