/** Owns what of a client decides which backend it gets: what is hashed, and the backend it had before. Refuses to pick one. */
import type { ForwardedFacts, HeaderFields, TlsFacts } from '../../../receivers/index.js';

/** What is looked at of a client: of its handshake, or of a plain request. */
export interface ClientFacts {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The client as it is believed to be: what one of `trustedProxies` told, else the peer. */
  readonly remoteAddress: string;
  /** What TLS says of the client's connection; undefined without TLS. */
  readonly tls: TlsFacts | undefined;
  /** What a trusted proxy told; undefined without one. */
  readonly forwarded?: ForwardedFacts | undefined;
}

/** What a pick is made by. */
export interface PickHints {
  /** What a hashing policy hashes. */
  readonly key: string | undefined;
  /** The id of the backend that it had; empty, as no id is, for one that is no backend any more. */
  readonly prefer: string | undefined;
  /** Another backend than `prefer` will not do. */
  readonly onlyPreferred: boolean;
}

/** Knows clients again. Nothing in it throws. */
export interface Affinity {
  hintsOf(client: ClientFacts): PickHints;
  /**
   * What the answer has to say, so that the client comes back to this backend; undefined for nothing. Called once for each client and
   * backend that came together: whoever remembers clients does so here.
   */
  headersFor(client: ClientFacts, backendId: string): HeaderFields | undefined;
  /** What a backend gets of the header fields of a request, names and values in turn: all but what is between the client and us. */
  forwardedHeaders(rawHeaders: readonly string[]): readonly string[];
}

/** Knows nobody again. */
export const noAffinity: Affinity = {
  hintsOf: () => ({ key: undefined, prefer: undefined, onlyPreferred: false }),
  headersFor: () => undefined,
  forwardedHeaders: (rawHeaders) => rawHeaders,
};

/** Whether the client itself came by TLS: what a trusted proxy tells of it counts, else the connection to us. */
export function cameByTls({ tls, forwarded }: Pick<ClientFacts, 'tls' | 'forwarded'>): boolean {
  const proto = forwarded?.proto?.toLowerCase();
  return proto === undefined ? tls !== undefined : proto === 'https' || proto === 'wss';
}
