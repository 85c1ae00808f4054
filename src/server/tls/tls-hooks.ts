/** Owns what code may decide about TLS with clients. Refuses to call any of it. */
import type { X509Certificate } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { CertificateFacts } from './certificate.js';

/** Who is on the other side of a TLS connection that is about to be let in. */
export interface TlsPeer {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The port of the listener. */
  readonly localPort: number;
  /** The name the client asked for (SNI), if it did. */
  readonly servername: string | undefined;
  /** Whether the client came back with a session, and so has not shown its certificate again: it is the one of the session. */
  readonly resumed: boolean;
}

/** What code may decide about TLS with clients. Each hook is for every listener with TLS. */
export interface TlsHooks {
  /**
   * Chooses the application protocol (ALPN, RFC 7301; sgc: OnSSLALPNSelect): one of those the client offers, or nothing, which
   * ends the handshake with the alert `no_application_protocol`. Without this hook it is `http/1.1`, the only one spoken here; a
   * connection that is given another one is served all the same, in HTTP/1.1.
   *
   * Called once in each TLS handshake whose client offers any, before `onVerifyPeer`; synchronously. One that throws or answers with
   * something that was not offered ends that handshake, and is told as `exception`.
   */
  onAlpn?(protocols: readonly string[], servername: string | undefined): string | undefined;
  /**
   * Decides about the certificate of a client (sgc: OnSSLVerifyPeer; IPWorks: SSLClientAuthentication). `true` lets the client in and
   * counts it as verified, also where `error` says what is wrong with the certificate; `false` refuses it with 403, also where nothing
   * is; nothing leaves it to `clientAuth`: with `require` a client whose certificate did not verify is refused, with
   * `request` it is let in, and `request.tls.authorized` is false.
   *
   * Called once for each TLS connection to a listener with `clientAuth` other than `none`, resumed ones included, after
   * the TLS handshake and before anything else is read. It may take its time, until `timeouts.handshake`; a client that has left by
   * then is let go of. One that throws or rejects refuses that client, and is told as `exception`.
   *
   * @param certificate what the client sent; undefined when it sent none.
   * @param error why it does not verify, its `code` as OpenSSL has it, such as `CERT_HAS_EXPIRED`; undefined when it does.
   */
  onVerifyPeer?(
    certificate: X509Certificate | undefined,
    error: (Error & { readonly code: string }) | undefined,
    peer: TlsPeer,
  ): boolean | undefined | void | Promise<boolean | undefined | void>;
  /**
   * Sees and may change what a secure context is made from (sgc: OnSSLGetHandler): what it returns takes the place of
   * the options, nothing leaves them as they are.
   *
   * Called synchronously for each certificate of each listener, when the server starts and whenever certificates are read
   * again. One that throws fails the start; later it keeps the certificates there were.
   *
   * @param certificate undefined for the context of a listener that has none of its own to show.
   */
  onSecureContextOptions?(
    options: SecureContextOptions,
    certificate: CertificateFacts | undefined,
  ): SecureContextOptions | undefined | void;
  /**
   * Sees a secure context that was just made (sgc: OnSSLAfterCreateHandler), and may return another one in its place. A client that
   * names no host (SNI) is served with one that Node.js makes from the same options, which this hook does not see.
   *
   * Called right after `onSecureContextOptions` and as often. One that throws fails the start; later it keeps the certificates there were.
   */
  onSecureContext?(context: SecureContext, certificate: CertificateFacts | undefined): SecureContext | undefined | void;
}
