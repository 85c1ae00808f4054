/**
 * Owns TLS towards targets as far as connections share it: the certificates, read once, and the sessions that save a later
 * handshake its certificates (RFC 8446 section 2.2). Refuses to start TLS.
 */
import tls from 'node:tls';
import type { Target, UnixTarget } from './target.js';

/** Targets whose session is kept; those asked for last. */
const MAX_SESSIONS = 256;

/** What all connections with the same TLS options share. */
export class TlsSessions {
  readonly #options: tls.ConnectionOptions;
  #context: tls.SecureContext | undefined;
  /** By name and port: a session belongs to the name whose certificate was verified. */
  readonly #sessions = new Map<string, Buffer>();

  constructor(options: tls.ConnectionOptions) {
    this.#options = options;
  }

  /**
   * The options for one connection.
   *
   * @throws what `tls.createSecureContext` throws for options that it cannot use.
   */
  optionsFor(target: Exclude<Target, UnixTarget>): tls.ConnectionOptions {
    this.#context ??= tls.createSecureContext(this.#options);
    const session = this.#sessions.get(this.#keyOf(target));
    return {
      ...namesOf(target),
      ...this.#options,
      ...(session === undefined ? {} : { session }),
      secureContext: this.#context,
    };
  }

  /** Keeps the sessions that a target gives on a connection, the last one of them. */
  watch(target: Exclude<Target, UnixTarget>, socket: tls.TLSSocket): void {
    const key = this.#keyOf(target);
    const keep = (session: Buffer): void => {
      // Behind all others: the first is the one that was used least lately.
      this.#sessions.delete(key);
      this.#sessions.set(key, session);
      const [oldest] = this.#sessions.keys();
      if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    };
    // With TLS 1.3 it comes some time after the handshake, and with 1.2 it came within.
    socket.on('session', keep);
    const session = socket.getProtocol() === 'TLSv1.3' ? undefined : socket.getSession();
    if (session !== undefined) keep(session);
  }

  #keyOf({ host, serverName, port }: Exclude<Target, UnixTarget>): string {
    return serverName === undefined ? `${host}:${port}` : `${serverName}@${host}:${port}`;
  }
}

/** SNI names hosts only (RFC 6066 section 3); without it Node.js still verifies an address against the certificate. */
function namesOf({ family, host, serverName }: Exclude<Target, UnixTarget>): tls.ConnectionOptions {
  if (serverName !== undefined) return { host: serverName, servername: serverName };
  return family === 0 ? { host, servername: host } : { host };
}
