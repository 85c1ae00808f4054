/** Owns how the address of a peer is written, wherever it is shown. */

/** A dual-stack listener shows IPv4 clients as `::ffff:192.0.2.1`; rules and logs want `192.0.2.1`. */
export function plainAddress(address: string | undefined): string | undefined {
  return address !== undefined && /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}
