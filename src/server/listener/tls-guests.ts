/**
 * Owns the record of connections whose TLS handshake is awaited, and which TLS socket came of which of them. Refuses to answer
 * or to judge them.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { plainAddress } from '../wires/plain-address.js';
import { SecuringGuest } from './guest.js';

/** The connections of one listener on their way to TLS. */
export class TlsGuests {
  readonly #left: (guest: SecuringGuest) => void;
  /** Node.js does not say which TCP connection a TLS socket came from; their addresses do. */
  /** Guests that were cut here, and whose handshake Node.js has yet to say has failed. */
  #cut = 0;
  readonly #securing = new Map<string, SecuringGuest>();

  /** @param left called for each guest that closes before it is secured. */
  constructor(left: (guest: SecuringGuest) => void) {
    this.#left = left;
  }

  /** Records an accepted TCP connection. */
  admit(raw: Socket): SecuringGuest {
    const peer = peerOf(raw);
    const guest = new SecuringGuest(raw, plainAddress(raw.remoteAddress), () => {
      this.#cut += 1;
    });
    raw.on('error', () => {});
    raw.once('close', () => {
      if (this.#securing.get(peer) === guest) this.#securing.delete(peer);
      if (guest.reader === undefined) this.#left(guest);
      guest.pass?.release();
    });
    this.#securing.set(peer, guest);
    return guest;
  }

  /** A TLS handshake failed. Answers whether that is news: of those that were cut here, it was told why. Which one it was is not known any more. */
  failed(error: Error): boolean {
    const wasCut = this.#cut > 0 && 'code' in error && error.code === 'ECONNRESET';
    if (wasCut) this.#cut -= 1;
    return !wasCut;
  }

  /** TLS stands: the guest that it stands with is not awaited any more. */
  secured(socket: TLSSocket): SecuringGuest | undefined {
    const peer = peerOf(socket);
    const guest = this.#securing.get(peer);
    this.#securing.delete(peer);
    return guest;
  }

  /** Cuts every connection whose TLS handshake is awaited, and waits until it is gone. */
  async terminateAll(): Promise<void> {
    await Promise.all(
      [...this.#securing.values()].map(({ raw }) => {
        // Not asked whether it is closed: that is said before it is told, and it leaves this record when it is told.
        const gone = new Promise((resolve) => raw.once('close', resolve));
        raw.destroy();
        return gone;
      }),
    );
  }
}

function peerOf(socket: Socket): string {
  return `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`;
}
