/**
 * Owns the record of connections whose TLS handshake is awaited, and which TLS socket came of which of them. Refuses to answer
 * or to judge them.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { plainAddress } from '../wires/plain-address.js';
import { PassingGuest } from './guest.js';

/** What is awaited of them, in words. */
export const TLS_HANDSHAKE = 'the TLS handshake did not finish';

/** The connections of one listener on their way to TLS. */
export class TlsGuests {
  readonly #left: (guest: PassingGuest) => void;
  /** Node.js does not say which TCP connection a TLS socket came from; their addresses do. */
  readonly #securing = new Map<string, PassingGuest>();

  /** @param left called for each guest that closes before it is secured. */
  constructor(left: (guest: PassingGuest) => void) {
    this.#left = left;
  }

  /**
   * Records a TCP connection that TLS has from now on.
   *
   * @param guest who it is, if it was here before.
   */
  admit(raw: Socket, guest = new PassingGuest(plainAddress(raw.remoteAddress), TLS_HANDSHAKE)): PassingGuest {
    const peer = peerOf(raw);
    guest.raw = raw;
    guest.wire = undefined;
    guest.awaited = TLS_HANDSHAKE;
    raw.on('error', () => {});
    raw.once('close', () => {
      if (this.#securing.get(peer) === guest) this.#securing.delete(peer);
      if (guest.reader === undefined) this.#left(guest);
      guest.pass?.release();
    });
    this.#securing.set(peer, guest);
    return guest;
  }

  /** TLS stands: the guest that it stands with is not awaited any more. */
  secured(socket: TLSSocket): PassingGuest | undefined {
    const peer = peerOf(socket);
    const guest = this.#securing.get(peer);
    this.#securing.delete(peer);
    return guest;
  }

  /** The guest whose TLS handshake failed. */
  failed(socket: TLSSocket): PassingGuest | undefined {
    return this.#securing.get(peerOf(socket));
  }

  /** Cuts every connection whose TLS handshake is awaited, and waits until it is gone. */
  async terminateAll(): Promise<void> {
    await Promise.all(
      [...this.#securing.values()].map(({ raw }) => {
        if (raw === undefined) return undefined;
        const gone = raw.closed ? undefined : new Promise((resolve) => raw.once('close', resolve));
        raw.destroy();
        return gone;
      }),
    );
  }
}

function peerOf(socket: Socket): string {
  return `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`;
}
