/**
 * Owns the record of connections whose TLS handshake is awaited, and which TLS socket came of which of them. Refuses to answer
 * or to judge them.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { LINGER_MS } from '../handshake/linger.js';
import { plainAddress } from '../wires/plain-address.js';
import { SecuringGuest } from './guest.js';

/** The connections of one listener on their way to TLS. */
export class TlsGuests {
  readonly #left: (guest: SecuringGuest, midway: boolean) => void;
  /** Node.js does not say which TCP connection a TLS socket came from; their addresses do. */
  readonly #securing = new Map<string, SecuringGuest>();

  /** @param left called for each guest that closes before it is secured; midway if it had begun. */
  constructor(left: (guest: SecuringGuest, midway: boolean) => void) {
    this.#left = left;
  }

  /** Records an accepted TCP connection. */
  admit(raw: Socket): SecuringGuest {
    const peer = peerOf(raw);
    const guest = new SecuringGuest(raw, plainAddress(raw.remoteAddress));
    raw.on('error', () => {});
    raw.once('close', () => {
      if (this.#securing.get(peer) === guest) this.#securing.delete(peer);
      if (guest.settled) return;
      guest.settled = true;
      this.#left(guest, raw.bytesRead > 0);
    });
    this.#securing.set(peer, guest);
    return guest;
  }

  /** TLS stands: the guest that it stands with is not awaited any more. */
  secured(socket: TLSSocket): SecuringGuest | undefined {
    const peer = peerOf(socket);
    const guest = this.#securing.get(peer);
    this.#securing.delete(peer);
    if (guest !== undefined) guest.settled = true;
    return guest;
  }

  /**
   * TLS came to nothing. An answer, without TLS, is for a client that can read it. Answers with the guest, unless it was told to
   * have left already.
   */
  failed(socket: TLSSocket, answer: Buffer | undefined): SecuringGuest | undefined {
    const guest = this.#securing.get(peerOf(socket));
    if (guest === undefined || guest.settled) return undefined;
    guest.settled = true;
    const { raw } = guest;
    if (answer === undefined) {
      raw.destroy();
      return guest;
    }
    const cut = setTimeout(() => raw.destroy(), LINGER_MS).unref();
    raw.once('close', () => clearTimeout(cut));
    raw.resume();
    raw.end(answer);
    return guest;
  }

  /** Cuts every connection whose TLS handshake is awaited, and waits until it is gone. */
  async terminateAll(): Promise<void> {
    await Promise.all(
      [...this.#securing.values()].map((guest) => {
        const { raw } = guest;
        const gone = raw.closed ? undefined : new Promise((resolve) => raw.once('close', resolve));
        guest.terminate();
        return gone;
      }),
    );
  }
}

function peerOf(socket: Socket): string {
  return `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`;
}
