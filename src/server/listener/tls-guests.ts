/**
 * Owns the record of connections whose TLS handshake is awaited, and which TLS socket came of which of them. Refuses to answer
 * or to judge them.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { plainIpAddress } from '../../protocol/ip-address.js';
import type { Peer } from '../admission/policy.js';
import { LINGER_MS } from '../handshake/linger.js';
import { PassingGuest } from './guest.js';

/** What is awaited of them, in words. */
export const TLS_HANDSHAKE = 'the TLS handshake did not finish';

/** The connections of one listener on their way to TLS. */
export class TlsGuests {
  readonly #left: (guest: PassingGuest, midway: boolean) => void;
  /** Node.js does not say which TCP connection a TLS socket came from; their addresses do. */
  readonly #securing = new Map<string, PassingGuest>();

  /** @param left called for each guest that closes before it is secured; midway if it had begun. */
  constructor(left: (guest: PassingGuest, midway: boolean) => void) {
    this.#left = left;
  }

  /**
   * Records a TCP connection that TLS has from now on.
   *
   * @param guest who it is, if it was here before.
   */
  admit(raw: Socket, guest = new PassingGuest(endsOf(raw), TLS_HANDSHAKE)): PassingGuest {
    const peer = peerOf(raw);
    guest.raw = raw;
    guest.wire = undefined;
    guest.awaited = TLS_HANDSHAKE;
    raw.on('error', () => {});
    raw.once('close', () => {
      if (this.#securing.get(peer) === guest) this.#securing.delete(peer);
      guest.pass?.release();
      if (guest.settled) return;
      guest.settled = true;
      this.#left(guest, raw.bytesRead > 0);
    });
    this.#securing.set(peer, guest);
    return guest;
  }

  /** TLS stands: the guest that it stands with is not awaited any more. */
  secured(socket: TLSSocket): PassingGuest | undefined {
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
  failed(socket: TLSSocket, answer: Buffer | undefined): PassingGuest | undefined {
    const guest = this.#securing.get(peerOf(socket));
    const raw = guest?.raw;
    if (guest === undefined || raw === undefined || guest.settled) return undefined;
    guest.settled = true;
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
        if (raw === undefined) return undefined;
        // Not asked whether it is closed: that is said before it is told, and it leaves this record when it is told.
        const gone = new Promise((resolve) => raw.once('close', resolve));
        guest.terminate();
        return gone;
      }),
    );
  }
}

/** The two ends of a socket that TLS has, as they are shown. */
export function endsOf({ remoteAddress, remotePort = 0, localAddress, localPort = 0 }: Socket): Peer {
  return {
    remoteAddress: plainIpAddress(remoteAddress),
    remotePort,
    localAddress: plainIpAddress(localAddress),
    localPort,
  };
}

function peerOf(socket: Socket): string {
  return `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`;
}
