/**
 * Owns whether a client with this certificate, or without one, is let in. Refuses to answer it.
 */
import type { TLSSocket } from 'node:tls';
import { plainIpAddress } from '../../protocol/ip-address.js';
import type { ErrorCode } from '../../receivers/errors.js';
import type { TlsConfig } from './tls-config.js';
import type { TlsHooks, TlsPeer } from './tls-hooks.js';

/** Why a client is not let in after its TLS handshake. */
export interface PeerDenial {
  readonly error: ErrorCode;
  readonly status: number;
  readonly message: string;
  /** What the client is told. */
  readonly answer: string;
}

/** How {@link judgePeer} is told what to do. */
export interface PeerRules {
  readonly clientAuth: TlsConfig['clientAuth'];
  readonly onVerifyPeer: TlsHooks['onVerifyPeer'];
  /** Told what the hook threw. */
  exception(error: unknown): void;
}

/**
 * Judges the certificate of a client whose TLS handshake is done, and writes the verdict to `socket.authorized`. Answers at once,
 * unless the hook takes its time. Never throws or rejects.
 */
export function judgePeer(
  socket: TLSSocket,
  rules: PeerRules,
): PeerDenial | undefined | Promise<PeerDenial | undefined> {
  const { clientAuth, onVerifyPeer, exception } = rules;
  if (clientAuth === 'none') return undefined;
  const certificate = socket.getPeerX509Certificate();
  // Node.js says "authorized" of a client without a certificate whose session TLS 1.3 took up again.
  const error = certificate === undefined ? NO_CERTIFICATE : socket.authorized ? undefined : verifyError(socket);
  const settle = (verdict: unknown): PeerDenial | undefined => {
    socket.authorized = typeof verdict === 'boolean' ? verdict : error === undefined;
    if (verdict === true || (verdict !== false && (clientAuth === 'request' || error === undefined))) return undefined;
    if (verdict === false) return denial('POLICY_DENIED', 'onVerifyPeer refused the client', NOT_LET_IN);
    if (certificate === undefined) {
      return denial('UNAUTHENTICATED', 'the client sent no certificate, and one is required', REQUIRED);
    }
    const reason = `does not verify: ${error?.code}`;
    return denial('INVALID_CREDENTIALS', `the certificate of the client ${reason}`, `The client certificate ${reason}`);
  };
  const failed = (reason: unknown): PeerDenial => {
    exception(reason);
    socket.authorized = false;
    return denial('POLICY_DENIED', 'onVerifyPeer failed', NOT_LET_IN);
  };
  if (onVerifyPeer === undefined) return settle(undefined);
  try {
    const verdict = onVerifyPeer(certificate, error, peerOf(socket));
    return isPromise(verdict) ? verdict.then(settle, failed) : settle(verdict);
  } catch (reason) {
    return failed(reason);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

// Not 401: there is no way to name TLS in WWW-Authenticate, which a 401 has to carry (RFC 9110 section 15.5.2).
function denial(error: ErrorCode, message: string, answer: string): PeerDenial {
  return { error, status: 403, message, answer };
}

const NOT_LET_IN = 'This client is not let in.';
const REQUIRED = 'A client certificate is required.';

function failure(code: string, message: string): Error & { readonly code: string } {
  return Object.assign(new Error(message), { code });
}

const NO_CERTIFICATE = failure('NO_CERTIFICATE', 'the client sent no certificate');

/** The types say Error; it is the code of OpenSSL, as text. */
function verifyError({
  authorizationError,
}: {
  readonly authorizationError: unknown;
}): Error & { readonly code: string } {
  const code =
    authorizationError instanceof Error ? authorizationError.message : String(authorizationError ?? 'UNSPECIFIED');
  return failure(code, `the certificate does not verify: ${code}`);
}

function peerOf(socket: TLSSocket): TlsPeer {
  return {
    remoteAddress: plainIpAddress(socket.remoteAddress),
    remotePort: socket.remotePort ?? 0,
    localPort: socket.localPort ?? 0,
    servername: serverNameOf(socket),
    resumed: socket.isSessionReused(),
  };
}

/** The name a client asked for. The types leave it out: on the server's side it is that name, or false. */
export function serverNameOf(socket: TLSSocket): string | undefined {
  if (!('servername' in socket)) return undefined;
  return typeof socket.servername === 'string' && socket.servername !== '' ? socket.servername : undefined;
}
