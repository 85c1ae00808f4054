/** Owns the shape of what a client asked for in its opening handshake. Refuses to parse it: the handshake does. */

import type { Principal } from './principal.js';

/** The certificate of a client. Nothing of it is secret, and nothing is verified unless `TlsFacts.authorized` says so. */
export interface PeerCertificateFacts {
  /** The common name (CN) of the subject, if there is one. */
  readonly commonName: string | undefined;
  /** In one line, such as `O=Example, CN=client`. */
  readonly subject: string;
  readonly issuer: string;
  /** Each with its kind, such as `DNS:client.example.org`, `email:a@example.org`, `URI:spiffe://example.org/a`. */
  readonly subjectAltNames: readonly string[];
  /** In hexadecimal. Unique for its issuer. */
  readonly serialNumber: string;
  /** SHA-256, in hexadecimal with colons: what to compare when one certificate is meant. */
  readonly fingerprint256: string;
  /** In milliseconds since the epoch. */
  readonly validFrom: number;
  /** In milliseconds since the epoch. */
  readonly validTo: number;
}

/** What TLS says about the downstream connection. */
export interface TlsFacts {
  /** Such as `TLSv1.3`. */
  readonly protocol: string | null;
  readonly cipher: string;
  /** The name the client asked for (SNI), if it did. */
  readonly servername: string | undefined;
  /** The protocol that ALPN agreed on, if it did. */
  readonly alpnProtocol: string | undefined;
  /** Whether the client came back with a session of an earlier connection. Its certificate is the one it showed then. */
  readonly resumed: boolean;
  /** Whether the client sent a certificate that verified, or that `onVerifyPeer` answered for. */
  readonly authorized: boolean;
  /** The common name of the client's certificate, if it sent one; not verified unless `authorized`. */
  readonly peerName: string | undefined;
  /** The client's certificate, if it sent one; not verified unless `authorized`. */
  readonly peerCertificate: PeerCertificateFacts | undefined;
}

/** What a trusted proxy told about a request, beside whom it brings. */
export interface ForwardedFacts {
  /** The scheme by which the proxy was called, such as `https`; undefined when it did not tell. */
  readonly proto?: string | undefined;
  /** The host that the proxy was asked for; undefined when it did not tell. */
  readonly host?: string | undefined;
}

/** One extension a client offered (RFC 6455 section 9.1). */
export interface OfferedExtension {
  readonly name: string;
  /** Parameter values; `true` for a parameter without one. */
  readonly parameters: Readonly<Record<string, ReadonlyArray<string | true>>>;
}

/**
 * The opening handshake of a client: valid, and not answered yet. A client that speaks plain TCP makes none: its request has addresses
 * and nothing else, every text is empty, and so is every list.
 */
export interface UpgradeRequest {
  /** Whether the client speaks WebSocket, or plain bytes (sgc: Transport). */
  readonly transport: 'websocket' | 'tcp';
  readonly method: string;
  /** The request target as it was sent, such as `/chat?room=1`. */
  readonly url: string;
  /** The path, without the query, not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Header fields by lower-case name; fields that came more than once are joined with `, ` (`; ` for cookies). */
  readonly headers: Readonly<Record<string, string>>;
  /** Header names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly host: string;
  /** The page a browser was showing; other clients may send anything or nothing. */
  readonly origin: string | undefined;
  /** In the client's order of preference. */
  readonly subprotocols: readonly string[];
  /** For information: which are used is negotiated by the data path. */
  readonly extensions: readonly OfferedExtension[];
  /**
   * The client, as it is believed to be: behind one of `trustedProxies` what the proxy told, else the peer of the connection itself.
   */
  readonly remoteAddress: string;
  /** 0 when a proxy did not tell it. */
  readonly remotePort: number;
  /** Who the connection really comes from: the client, or the last proxy before us. */
  readonly peerAddress: string;
  /** What the proxy in front told; undefined unless the peer is one of `trustedProxies`. `host` and `origin` stay as they came. */
  readonly forwarded: ForwardedFacts | undefined;
  readonly localAddress: string;
  readonly localPort: number;
  /** What TLS says, or undefined on a plain listener. */
  readonly tls: TlsFacts | undefined;
  /**
   * Who the client has shown to be; undefined without `authentication`, and for one that may stay anonymous. The credentials
   * themselves were taken out of the request.
   */
  readonly principal?: Principal | undefined;
  /**
   * Aborts when the client leaves or `timeouts.handshake` passes before the handshake is answered. The reason is a
   * TidegateError with code `DOWNSTREAM_GONE` or `DECISION_TIMEOUT`. It never aborts after the answer.
   */
  readonly signal: AbortSignal;
}
