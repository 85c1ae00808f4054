/**
 * Owns TLS on one listener: its server with the certificates of the moment, and who is let in. Refuses to accept
 * connections, and to decide when certificates are read again.
 */
import type { ServerOpts } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { describeError, TidegateError } from '../../receivers/errors.js';
import { formatPath } from '../config/problems.js';
import { type ContextSet, readContexts } from './context-set.js';
import { judgePeer, type PeerDenial } from './peer-verdict.js';
import { isFile, MaterialError } from './read-material.js';
import type { TicketKeys } from './ticket-keys.js';
import type { TlsConfig } from './tls-config.js';
import type { TlsHooks } from './tls-hooks.js';

/** What the TLS of all listeners of a server has in common. */
export interface TlsServices {
  readonly hooks: TlsHooks;
  readonly tickets: TicketKeys;
  /** Told what a hook threw. Must not throw. */
  exception(error: unknown): void;
}

/** TLS for one listener. It serves with the certificates that were read last and could be used. */
export class TlsListening {
  readonly config: TlsConfig;
  readonly #services: TlsServices;
  #contexts: ContextSet | undefined;
  #server: Server | undefined;

  constructor(config: TlsConfig, services: TlsServices) {
    this.config = config;
    this.#services = services;
  }

  /** The certificates in use; none before {@link createServer}. */
  get certificates(): ContextSet['certificates'] {
    return this.#contexts?.certificates ?? [];
  }

  /** Every file that is read for this listener. */
  get files(): string[] {
    const { config } = this;
    return [config, ...config.certificates]
      .flatMap(({ cert, key, chain, pfx, passphraseFile }) => [
        ...(cert ?? []),
        ...(key ?? []),
        chain,
        pfx,
        passphraseFile,
      ])
      .concat(config.ca, config.crl, config.ticketKeyFile)
      .filter((material): material is string => material !== undefined && isFile(material));
  }

  /**
   * Makes the server that this listener accepts TLS connections with. It follows {@link reload} until it closes.
   *
   * @throws TidegateError `INVALID_OPTION` for what cannot be used.
   */
  createServer(options: ServerOpts): Server {
    const contexts = this.#read();
    const { tickets } = this.#services;
    // Anything of `node` gives way to what is set here, but for the two callbacks that it may bring.
    const server = createServer({
      ...contexts.fallback,
      ...this.#callbacks(contexts),
      requestCert: this.config.clientAuth !== 'none',
      // Who may come in is judged afterwards: then the client can be told why not.
      rejectUnauthorized: false,
      ...options,
    } as TlsOptions);
    this.#contexts = contexts;
    this.#server = server;
    if (contexts.ticketKeys === undefined) tickets.attach(server);
    server.once('close', () => tickets.detach(server));
    return server;
  }

  /**
   * Reads everything again. Connections and sessions there are stay as they are; a handshake that begins after this gets what was read.
   * Answers whether anything was new.
   *
   * @throws TidegateError `INVALID_OPTION` for what cannot be used; what there was stays in use.
   */
  reload(): boolean {
    const contexts = this.#read();
    if (contexts.digest === this.#contexts?.digest) return false;
    this.#server?.setSecureContext(contexts.fallback);
    this.#contexts = contexts;
    return true;
  }

  /** Lets go of the server; it is the listener that closes it. */
  release(): void {
    if (this.#server !== undefined) this.#services.tickets.detach(this.#server);
    this.#server = undefined;
  }

  /**
   * Judges a client whose TLS handshake is done, and calls back with what is wrong with it, or with nothing. Calls back at once unless
   * `onVerifyPeer` takes its time, and never for a client that has left meanwhile.
   */
  admit(socket: TLSSocket, judged: (denial: PeerDenial | undefined) => void): void {
    const { hooks, exception } = this.#services;
    const { clientAuth } = this.config;
    const verdict = judgePeer(socket, { clientAuth, onVerifyPeer: hooks.onVerifyPeer?.bind(hooks), exception });
    if (!(verdict instanceof Promise)) {
      judged(verdict);
      return;
    }
    // Until it is judged nobody else listens, and without a listener an error would end the process.
    const ignore = (): void => {};
    socket.on('error', ignore);
    void verdict.then((denial) => {
      socket.off('error', ignore);
      if (!socket.destroyed) judged(denial);
    });
  }

  #read(): ContextSet {
    const { hooks, tickets } = this.#services;
    try {
      return readContexts(this.config, hooks, tickets.keys);
    } catch (error) {
      const { at, message } = error instanceof MaterialError ? error : { at: [], message: describeError(error) };
      // The position in a list of one says nothing.
      const option = formatPath(['tls', ...(at.at(-1) === 0 ? at.slice(0, -1) : at)]);
      throw new TidegateError('INVALID_OPTION', `${option}: ${this.#named(at)}${message}`, { cause: error });
    }
  }

  /** The file that an option names, if it does. */
  #named(at: readonly PropertyKey[]): string {
    let value: unknown = this.config;
    for (const step of at) value = (value as Record<PropertyKey, unknown> | undefined)?.[step];
    return typeof value === 'string' && isFile(value) ? `${value}: ` : '';
  }

  #callbacks({ byName }: ContextSet): TlsOptions {
    const { node = {} } = this.config;
    const { onAlpn } = this.#services.hooks;
    const { ALPNProtocols = ['http/1.1'], ALPNCallback = onAlpn && this.#chooseAlpn } = node;
    const { SNICallback = byName && this.#chooseContext } = node;
    return {
      // What a browser that could speak HTTP/2 has to be told.
      ...(ALPNCallback === undefined ? { ALPNProtocols } : { ALPNCallback }),
      ...(SNICallback === undefined ? {} : { SNICallback }),
    };
  }

  readonly #chooseAlpn: NonNullable<TlsOptions['ALPNCallback']> = ({ servername, protocols }) => {
    const { hooks, exception } = this.#services;
    try {
      const chosen = hooks.onAlpn?.(protocols, servername || undefined);
      if (chosen === undefined || protocols.includes(chosen)) return chosen;
      exception(
        new TidegateError('INVALID_OPTION', `onAlpn: got ${String(chosen)}; expected one of ${protocols.join(', ')}`),
      );
    } catch (error) {
      exception(error);
    }
    return undefined;
  };

  readonly #chooseContext: NonNullable<TlsOptions['SNICallback']> = (servername, answer) => {
    // Without a context of its own a name gets the fallback.
    answer(null, this.#contexts?.byName?.find(servername));
  };
}
