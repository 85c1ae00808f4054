/** Owns the shape of what a client asked for in its opening handshake. Refuses to parse it: the handshake does. */

/** What TLS says about the downstream connection. */
export interface TlsFacts {
  /** Such as `TLSv1.3`. */
  readonly protocol: string | null;
  readonly cipher: string;
  /** The name the client asked for (SNI), if it did. */
  readonly servername: string | undefined;
  /** The protocol that ALPN agreed on, if it did. */
  readonly alpnProtocol: string | undefined;
  /** Whether the client's certificate was verified. */
  readonly authorized: boolean;
  /** The common name of the client's certificate, if it sent one. */
  readonly peerName: string | undefined;
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
   * Aborts when the client leaves or `timeouts.handshake` passes before the handshake is answered. The reason is a
   * TidegateError with code `DOWNSTREAM_GONE` or `DECISION_TIMEOUT`. It never aborts after the answer.
   */
  readonly signal: AbortSignal;
}
