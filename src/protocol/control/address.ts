/** Owns the address of a connection in a group: `member/connection`, such as `b1/conn-12`. Refuses to know which members there are. */

/** Where a connection is. */
export interface Address {
  /** The id of the backend or balancer that holds it; undefined for the one that is asked. */
  readonly member: string | undefined;
  /** Its id there. */
  readonly connection: string;
}

/** Writes the address of a connection. */
export function formatAddress(member: string, connection: string): string {
  return `${member}/${connection}`;
}

/** Reads an address, or the plain id of a connection that is here. The last slash counts: there is none in the id of a connection. */
export function parseAddress(text: string): Address {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return { member: undefined, connection: text };
  return { member: text.slice(0, slash), connection: text.slice(slash + 1) };
}

/** An address as it can travel: what names no member is at the one given. */
export function absoluteAddress(text: string, here: string): string {
  return text.includes('/') ? text : formatAddress(here, text);
}

/** The ids of those connections that are at this member. */
export function connectionsAt(member: string, addresses: readonly string[]): string[] {
  return addresses.flatMap((text) => {
    const address = parseAddress(text);
    return address.member === member ? address.connection : [];
  });
}
