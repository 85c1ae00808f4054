/** Owns what a client is known by: its address, or something it sends. Refuses to remember it and to hash it for a choice. */
import { createHash } from 'node:crypto';
import { cookieValues } from '../../../protocol/cookies.js';
import { networkOf } from '../../../protocol/ip-address.js';
import type { ClientFacts } from './affinity.js';

/** Reads what a client is known by; undefined for one that has nothing of the kind. */
export type KeyReader = (client: ClientFacts) => string | undefined;

/** Longer keys are replaced by their digest: they are kept for many clients, and hashed with the id of every backend. */
const MAX_KEY_LENGTH = 64;

/**
 * Makes the reader of one kind of key.
 *
 * `address` is the client as `trustedProxies` tell it; of an IPv6 address it is the /64 network, since one client has all of that and
 * changes its address within it (RFC 8981). Header names have no case, names of cookies and parameters do. What is empty is not there.
 *
 * @param by `address`, `header:NAME`, `query:NAME` or `cookie:NAME`.
 */
export function keyReader(by: string): KeyReader {
  const colon = by.indexOf(':');
  const name = by.slice(colon + 1);
  const read = readerOf(colon === -1 ? by : by.slice(0, colon), name);
  return (client) => {
    const key = read(client);
    if (key === undefined || key === '') return undefined;
    return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64url');
  };
}

function readerOf(kind: string, name: string): KeyReader {
  switch (kind) {
    case 'header': {
      const lowerName = name.toLowerCase();
      return ({ headers }) => headers[lowerName];
    }
    case 'cookie':
      return ({ headers }) => cookieValues(headers.cookie, name)[0];
    case 'query':
      return ({ url }) => parameterOf(url, name);
    default:
      return ({ remoteAddress }) => networkOf(remoteAddress);
  }
}

function parameterOf(url: string, name: string): string | undefined {
  const mark = url.indexOf('?');
  return mark === -1 ? undefined : (new URLSearchParams(url.slice(mark + 1)).get(name) ?? undefined);
}
