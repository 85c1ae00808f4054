/** Owns what of a client decides which backend it gets: what is hashed, and the backend it had before. Refuses to pick one. */
import type { HeaderFields, TlsFacts } from '../../receivers/index.js';

/** What is looked at of a client: of its handshake, or of a plain request. */
export interface ClientFacts {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  /** What TLS says of the client's connection; undefined without TLS. */
  readonly tls: TlsFacts | undefined;
}

/** What a pick is made by. */
export interface PickHints {
  /** What a hashing policy hashes. */
  readonly key: string | undefined;
  /** The id of the backend that it had. */
  readonly prefer: string | undefined;
  /** Another backend than `prefer` will not do. */
  readonly onlyPreferred: boolean;
}

/** Knows clients again. */
export interface Affinity {
  hintsOf(client: ClientFacts): PickHints;
  /** What the answer has to say, so that the client comes back to this backend; undefined for nothing. */
  headersFor(client: ClientFacts, backendId: string): HeaderFields | undefined;
}

/** Knows nobody again. */
export const noAffinity: Affinity = {
  hintsOf: () => ({ key: undefined, prefer: undefined, onlyPreferred: false }),
  headersFor: () => undefined,
};
