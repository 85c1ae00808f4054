/**
 * Owns the record of connections that have not become an upgrade request yet, and which TLS socket runs over which of
 * them. Refuses to answer or to close them.
 */
import type { Socket } from 'node:net';

/** A connection that has not become an upgrade request yet. */
export interface Guest {
  /** The TCP connection. */
  readonly raw: Socket;
  /** The socket that speaks HTTP: the same, or TLS over it; undefined until TLS stands. */
  readonly socket: Socket | undefined;
  readonly remoteAddress: string | undefined;
}

/** The guests of one listener. */
export class Guests {
  readonly #secure: boolean;
  readonly #onGone: (guest: Guest) => void;
  /** By the TCP connection, and by the TLS socket over it. */
  readonly #guests = new Map<Socket, Entry>();
  /** Node does not say which TCP connection a TLS socket came from; their addresses do. */
  readonly #securing = new Map<string, Entry>();

  /** @param onGone called for each guest that closes before it is released. */
  constructor(secure: boolean, onGone: (guest: Guest) => void) {
    this.#secure = secure;
    this.#onGone = onGone;
  }

  /** Records an accepted TCP connection. */
  admit(raw: Socket): Guest {
    const peer = this.#secure ? peerOf(raw) : '';
    const onClose = (): void => {
      this.release(guest);
      this.#onGone(guest);
    };
    const guest: Entry = {
      raw,
      socket: this.#secure ? undefined : raw,
      remoteAddress: raw.remoteAddress,
      peer,
      onClose,
    };
    raw.once('close', onClose);
    this.#guests.set(raw, guest);
    if (this.#secure) this.#securing.set(peer, guest);
    return guest;
  }

  /** Records that TLS stands. */
  secured(socket: Socket): void {
    const peer = peerOf(socket);
    const guest = this.#securing.get(peer);
    if (guest === undefined) return;
    this.#securing.delete(peer);
    guest.socket = socket;
    this.#guests.set(socket, guest);
  }

  /** The guest that a socket belongs to, be it the TCP connection or TLS over it. */
  of(socket: Socket): Guest | undefined {
    return this.#guests.get(socket);
  }

  /** Forgets a guest, and leaves nothing on its sockets. */
  release({ raw }: Guest): void {
    const guest = this.#guests.get(raw);
    if (guest === undefined) return;
    raw.off('close', guest.onClose);
    this.#guests.delete(raw);
    if (guest.socket !== undefined) this.#guests.delete(guest.socket);
    if (this.#securing.get(guest.peer) === guest) this.#securing.delete(guest.peer);
  }

  /** Cuts every guest, and waits until its connection is gone. */
  async destroyAll(): Promise<void> {
    const connections = new Set([...this.#guests.values()].map(({ raw }) => raw));
    await Promise.all(
      [...connections].map((raw) => {
        const gone = raw.closed ? undefined : new Promise((resolve) => raw.once('close', resolve));
        raw.destroy();
        return gone;
      }),
    );
  }
}

interface Entry extends Guest {
  socket: Socket | undefined;
  readonly peer: string;
  readonly onClose: () => void;
}

function peerOf(socket: Socket): string {
  return `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`;
}
