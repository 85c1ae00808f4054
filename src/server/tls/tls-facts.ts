/** Owns what a receiver is told about the TLS of its connection. Refuses to judge it. */
import type { TLSSocket } from 'node:tls';
import type { PeerCertificateFacts, TlsFacts } from '../../receivers/upgrade-request.js';
import { oneLine } from './certificate.js';
import { alternativeNames } from './name-table.js';
import { serverNameOf } from './peer-verdict.js';

/** Asks a TLS socket, while it is open, for what is known of the other side. */
export function tlsFactsOf(socket: TLSSocket): TlsFacts {
  const certificate = peerCertificateOf(socket);
  return {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher()?.name ?? '',
    servername: serverNameOf(socket),
    alpnProtocol: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
    resumed: socket.isSessionReused(),
    // Without a certificate nobody is verified, whatever Node.js says of a session taken up again.
    authorized: certificate !== undefined && socket.authorized,
    peerName: certificate?.commonName,
    peerCertificate: certificate,
  };
}

function peerCertificateOf(socket: TLSSocket): PeerCertificateFacts | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const { subject, issuer, subjectAltName, serialNumber, fingerprint256, validFrom, validTo } = certificate;
  return {
    commonName: /^CN=(.*)$/m.exec(subject ?? '')?.[1],
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    subjectAltNames: alternativeNames(subjectAltName),
    serialNumber,
    fingerprint256,
    validFrom: Date.parse(validFrom),
    validTo: Date.parse(validTo),
  };
}
