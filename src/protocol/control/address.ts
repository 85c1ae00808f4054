/** Owns the address of a connection in a group: `member/connection`, such as `b1/conn-12`. Refuses to know which members there are. */

import { headerValues } from '../header-fields.js';

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

/** The field of a 101 by which a backend says what it calls the connection. */
export const CONNECTION_FIELD = 'Tidegate-Connection';

/** What a backend calls a connection, by its 101; undefined when it does not say, or not in one word. */
export function connectionNameIn(rawHeaders: readonly string[]): string | undefined {
  const [name = ''] = headerValues(rawHeaders, CONNECTION_FIELD);
  return /^[A-Za-z0-9._:@-]{1,128}$/.test(name) ? name : undefined;
}

/** The ids of those connections that are at this member. */
export function connectionsAt(member: string, addresses: readonly string[]): string[] {
  return addresses.flatMap((text) => {
    const address = parseAddress(text);
    return address.member === member ? address.connection : [];
  });
}
