/** Owns who a verified client certificate says a client is. Refuses to verify it: TLS did. */
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Principal } from '../../receivers/index.js';

/** Names the holder of a certificate that was verified; undefined when there is none, or it has no such name. */
export function certificatePrincipal(
  socket: TLSSocket | undefined,
  by: 'common-name' | 'alternative-name',
): Principal | undefined {
  if (socket?.authorized !== true) return undefined;
  // The types say that a peer always has a certificate; without one Node answers an empty object, or null once closed.
  const certificate: Partial<PeerCertificate> | null = socket.getPeerCertificate();
  const name = by === 'common-name' ? commonName(certificate) : alternativeName(certificate?.subjectaltname);
  if (name === undefined || name === '') return undefined;
  const expiresAt = Date.parse(certificate?.valid_to ?? '');
  return { name, scheme: 'certificate', expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt };
}

function commonName(certificate: Partial<PeerCertificate> | null): string | undefined {
  const name: string | string[] | undefined = certificate?.subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}

/** The first of `DNS:host, email:user@host, URI:…`. One that Node had to quote is not taken: it is no plain name. */
function alternativeName(names: string | undefined): string | undefined {
  const name = /^(?:DNS|email|URI):([^,"]+)(?:, |$)/.exec(names ?? '')?.[1];
  return name;
}
