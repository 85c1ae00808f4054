/**
 * Owns which peers are believed when they say on whose behalf they come, and what follows from it for the client's address. Refuses
 * to believe anyone else.
 */
import { AddressSet } from '../../protocol/address-set.js';
import { type ForwardedNode, parseForwarded, parseForwardedFor } from '../../protocol/forwarded.js';
import { headerValues } from '../../protocol/header-fields.js';
import type { ForwardedFacts } from '../../receivers/upgrade-request.js';
import type { Peer } from './policy.js';

/** Which header field the trusted proxies write. */
export type ForwardedHeader = 'x-forwarded-for' | 'forwarded' | 'none';

/** What a trusted proxy told about a request. */
export interface Introduction {
  readonly peer: Peer;
  readonly forwarded: ForwardedFacts;
}

/** The proxies in front of a server. */
export class TrustedProxies {
  readonly #addresses: AddressSet;
  readonly #header: ForwardedHeader;

  constructor(addresses: readonly string[], header: ForwardedHeader) {
    this.#addresses = new AddressSet(addresses);
    this.#header = header;
  }

  /** Whether an address is that of a trusted proxy. */
  trusts(address: string): boolean {
    return this.#addresses.has(address);
  }

  /**
   * Reads from the header of a request who the client is. The nodes are gone through from the right, where the proxy nearest to us
   * wrote, past every trusted one: the first that is not trusted is the client. What is left of it, anyone may have sent. A proxy that
   * tells nothing, or nothing that can be understood, is the client itself.
   *
   * @param peer a trusted proxy.
   */
  introduce(rawHeaders: readonly string[], peer: Peer): Introduction {
    switch (this.#header) {
      case 'none':
        return { peer, forwarded: {} };
      case 'forwarded': {
        const elements = parseForwarded(headerValues(rawHeaders, 'forwarded').join(', ')) ?? [];
        const nearest = elements.at(-1);
        const nodes = elements.map((element) => element.for);
        return { peer: this.#clientBehind(peer, nodes), forwarded: factsOf(nearest?.proto, nearest?.host) };
      }
      case 'x-forwarded-for': {
        const nodes = parseForwardedFor(headerValues(rawHeaders, 'x-forwarded-for').join(','));
        const proto = lastOf(headerValues(rawHeaders, 'x-forwarded-proto'))?.toLowerCase();
        const host = lastOf(headerValues(rawHeaders, 'x-forwarded-host'));
        return { peer: this.#clientBehind(peer, nodes), forwarded: factsOf(proto, host) };
      }
    }
  }

  #clientBehind(peer: Peer, nodes: readonly (ForwardedNode | undefined)[]): Peer {
    let client: Peer = peer;
    for (let index = nodes.length - 1; index >= 0; index -= 1) {
      const node = nodes[index];
      if (node?.address === undefined) break;
      const { localAddress, localPort } = peer;
      client = { remoteAddress: node.address, remotePort: node.port, localAddress, localPort };
      if (!this.trusts(node.address)) break;
    }
    return client;
  }
}

/** Of a list to which each proxy adds, what the nearest one wrote. */
function lastOf(values: readonly string[]): string | undefined {
  const last = values.at(-1)?.split(',').at(-1)?.trim();
  return last === '' ? undefined : last;
}

/** A scheme or host with characters that neither has is left out: it may end up in a log or in a header. */
function factsOf(proto: string | undefined, host: string | undefined): ForwardedFacts {
  return {
    proto: proto !== undefined && /^[a-z][a-z0-9+.-]*$/.test(proto) ? proto : undefined,
    host: host !== undefined && /^[\w.:[\]-]+$/.test(host) ? host : undefined,
  };
}
