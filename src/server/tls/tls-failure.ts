/** Owns saying in plain words why a TLS handshake failed. Refuses to do anything about it. */

const LEFT = 'the client left before it was done; perhaps it does not trust the certificate';

/** What is said of a client that ends a TLS handshake without a word. */
export const LEFT_MIDWAY = `the TLS handshake failed: ${LEFT}`;

/** By what OpenSSL calls it, without the version of the protocol that some of its versions put before an alert. */
const REASONS: Readonly<Record<string, string>> = {
  HTTP_REQUEST: 'plain HTTP was sent to a TLS port; the client has to use wss: or https:',
  WRONG_VERSION_NUMBER: 'what was sent is not TLS',
  UNSUPPORTED_PROTOCOL: 'the client speaks no version of TLS that is spoken here (`tls.minVersion`, `tls.maxVersion`)',
  VERSION_TOO_LOW: 'the client speaks no version of TLS that is spoken here (`tls.minVersion`)',
  NO_SHARED_CIPHER: 'the client and this listener have no cipher in common, or there is no certificate for it',
  NO_SUITABLE_SIGNATURE_ALGORITHM:
    'there is no certificate that the client can verify: for the name it asks for, or of the kind it knows',
  NO_APPLICATION_PROTOCOL: 'the client offers no application protocol that is spoken here (ALPN); http/1.1 is',
  NO_SUITABLE_KEY_SHARE: 'the client and this listener have no curve in common (`tls.ecdhCurve`)',
  ALERT_UNKNOWN_CA: 'the client does not trust the certificate (alert unknown ca)',
  ALERT_CERTIFICATE_UNKNOWN: 'the client does not take the certificate (alert certificate unknown)',
  ALERT_BAD_CERTIFICATE: 'the client does not take the certificate (alert bad certificate)',
  ALERT_CERTIFICATE_EXPIRED: 'the client says that the certificate has expired',
  ALERT_CERTIFICATE_REVOKED: 'the client says that the certificate is revoked',
  ALERT_UNSUPPORTED_CERTIFICATE: 'the client cannot use the certificate (alert unsupported certificate)',
  ALERT_HANDSHAKE_FAILURE: 'the client found nothing to agree on (alert handshake failure)',
  ALERT_PROTOCOL_VERSION: 'the client speaks no version of TLS that is spoken here (alert protocol version)',
  ALERT_UNRECOGNIZED_NAME: 'the client does not know the name of this server (alert unrecognized name)',
  ECONNRESET: LEFT,
  EPIPE: LEFT,
};

/** Says why a TLS handshake failed, in one line. */
export function describeTlsFailure(error: Error & { readonly code?: unknown }): string {
  const known = REASONS[String(error.code).replace(/^ERR_SSL_(?:SSLV3_|TLSV1_|SSL\/TLS_)?/, '')];
  // What OpenSSL says begins with a thread and a number, and ends with a place in its source.
  const own = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/.exec(error.message)?.[1] ?? error.message.trim();
  return `the TLS handshake failed: ${known ?? own}`;
}

const TEXT = 'This port speaks TLS; connect with wss: or https:.\n';
const PLAIN_ANSWER = Buffer.from(
  `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${TEXT.length}\r\n\r\n${TEXT}`,
);

/** What can be said, without TLS, to a client whose TLS handshake failed: something only if it spoke plain HTTP. */
export function plainAnswerTo(error: Error & { readonly code?: unknown }): Buffer | undefined {
  return error.code === 'ERR_SSL_HTTP_REQUEST' ? PLAIN_ANSWER : undefined;
}
