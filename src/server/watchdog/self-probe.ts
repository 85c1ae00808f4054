/**
 * Owns one question of a server to itself: a connection to a listening address, and whether anything comes back in time.
 * Refuses to judge what that means for the listener.
 */
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import type { BoundAddress } from '../listener/listen-address.js';

/** What a probe found: `unknown` when it could not be made, or the process stood still meanwhile. */
export type ProbeVerdict = 'answers' | 'silent' | 'unknown';

/** Where to connect to, and for how long to wait. */
export interface ProbeOptions {
  readonly address: BoundAddress;
  readonly secure: boolean;
  /** Milliseconds from the connect to the first byte of the answer. */
  readonly timeout: number;
}

const REQUEST = 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nUser-Agent: tidegate-self-probe\r\nConnection: close\r\n\r\n';

/** These say that nobody listens there; any other error is about the way to it, such as a process without descriptors. */
const NOBODY = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);

/** A timer that fires later than this share of its time says that the process was busy, and not that a listener is silent. */
const MAX_LATENESS = 0.25;

/** Asks a listener for an answer, any answer. */
export class SelfProbe {
  /** Resolves once, and never rejects. No socket or timer is left then. */
  readonly verdict: Promise<ProbeVerdict>;
  readonly #socket: Socket;
  #settle: (verdict: ProbeVerdict) => void = () => {};

  constructor({ address, secure, timeout }: ProbeOptions) {
    const { port } = address;
    const host = reachable(address.host);
    const raw = net.connect({ host, port });
    this.#socket = raw;
    this.verdict = new Promise((resolve) => {
      const begun = performance.now();
      const timer = setTimeout(() => {
        const late = performance.now() - begun - timeout > timeout * MAX_LATENESS;
        this.#settle(late ? 'unknown' : 'silent');
      }, timeout);
      this.#settle = (verdict) => {
        clearTimeout(timer);
        raw.destroy();
        resolve(verdict);
      };
    });
    raw.on('error', ({ code = '' }: NodeJS.ErrnoException) => this.#settle(NOBODY.has(code) ? 'silent' : 'unknown'));
    // Of TLS the first byte is enough: whoever answers a greeting, with an alert even, is alive.
    raw.on('data', () => {
      if (!secure) this.#settle('answers');
    });
    raw.on('close', () => this.#settle('unknown'));
    if (secure) this.#speakTls(raw);
    else raw.write(REQUEST);
  }

  /** The address that the listener sees it come from; undefined before the connect, and in TLS until it is known. */
  is(remoteAddress: string, remotePort: number): boolean {
    return this.#socket.localPort === remotePort && this.#socket.localAddress === remoteAddress;
  }

  /** Ends it without a verdict of its own. */
  cancel(): void {
    this.#settle('unknown');
  }

  #speakTls(raw: Socket): void {
    // Whether it answers is asked, and not who it is.
    const socket = tls.connect({ socket: raw, rejectUnauthorized: false });
    socket.on('secureConnect', () => socket.write(REQUEST));
    socket.on('data', () => this.#settle('answers'));
    // The listener has spoken, and refused: without a client certificate, for example.
    socket.on('error', () => this.#settle(raw.bytesRead > 0 ? 'answers' : 'unknown'));
  }
}

/** Every interface includes the one that leads back here. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
