/** Owns what the actor of either side of a pair needs from the shell that holds its socket. */
import type { CloseStatus } from '../receivers/index.js';

/** The wire of one side. Nothing in it may throw. */
export interface SidePort {
  /** Reads, for the first time or again. */
  read(): void;
  stopReading(): void;
  /** A ping where the peer speaks WebSocket; nothing where it does not, and TCP keepalive judges its silence. */
  sendHeartbeat(): void;
  /**
   * Writes a Close frame behind everything that waits, or a FIN where the peer speaks no WebSocket. 1005 writes one
   * without code, 1006 none but cuts the transport.
   */
  sendClose(code: CloseStatus, reason: string): void;
  /** Both Close frames were exchanged: the server of this wire ends TCP, when everything is written (RFC 6455 section 7.1.1). */
  end(): void;
  /** Cuts the transport now. */
  terminate(): void;
  /** True when the peer's silence since the last call says nothing: it was not read, or was busy reading from us. */
  takeExcuse(): boolean;
  /** Finds out whether a peer that is not read from has reset the connection meanwhile. */
  probe(): void;
  /** Bytes that came from the peer, control frames and headers included. Grows with every sign of life. */
  readonly bytesRead: number;
  /** Milliseconds from the last ping of the heartbeat that was answered to its pong; undefined before there is one. */
  readonly roundTripMs: number | undefined;
}
