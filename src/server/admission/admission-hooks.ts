/** Owns the shapes of the hooks of admission, and what an answer of `onTcpConnect` means. Refuses to call them. */
import { TidegateError } from '../../receivers/index.js';
import type { AdmissionPolicy, Peer } from './policy.js';

/** What becomes of an accepted connection: it goes on, it is cut, or it is a plain TCP client from its first byte on. */
export type TcpVerdict = 'accept' | 'reject' | 'tcp' | boolean | undefined;

/** Decisions about who gets in that only code can make. */
export interface AdmissionHooks {
  /**
   * Policies of the application. Asked behind those that the options make, in their order: an address that is denied, banned, too
   * fast or has too many connections does not get to them. See {@link AdmissionPolicy}. They are the same objects after a restart.
   */
  readonly policies?: readonly AdmissionPolicy[] | undefined;
  /**
   * Decides about each accepted TCP connection before anything of it is parsed, and before TLS (sgc: OnTCPConnect, IPWorks:
   * ConnectionRequest). Called once for each connection that the policies admitted; the peer is the TCP peer, which may be a proxy.
   *
   * Answers `accept`, `true` or nothing to go on, `reject` or `false` to cut the connection without an answer, `tcp` to take it as a
   * plain TCP client. May answer with a promise: the connection waits, unread, within `timeouts.handshake`, and may leave meanwhile;
   * then the answer is ignored. A throw, a rejection and any other answer cut the connection and are told by the event `exception`. It may
   * call back into the server.
   */
  readonly onTcpConnect?: ((peer: Peer) => TcpVerdict | Promise<TcpVerdict>) | undefined;
}

/**
 * What an answer of `onTcpConnect` means.
 *
 * @throws TidegateError `INVALID_DECISION` for anything it cannot answer.
 */
export function tcpVerdictOf(answer: unknown): 'accept' | 'reject' | 'tcp' {
  if (answer === undefined || answer === true || answer === 'accept') return 'accept';
  if (answer === false || answer === 'reject') return 'reject';
  if (answer === 'tcp') return 'tcp';
  const shown = typeof answer === 'string' ? JSON.stringify(answer) : typeof answer;
  throw new TidegateError(
    'INVALID_DECISION',
    `onTcpConnect answered ${shown}; it takes 'accept', 'reject', 'tcp', true, false or nothing`,
  );
}

/** Whether a value can be the list of policies. */
export function arePolicies(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => isPolicy(one));
}

function isPolicy(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, connection, message, release } = value as Record<string, unknown>;
  const methods = [connection, message, release];
  return (
    typeof name === 'string' && name !== '' && methods.every((one) => one === undefined || typeof one === 'function')
  );
}
