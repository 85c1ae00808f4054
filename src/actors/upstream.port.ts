/** Owns what an upstream actor needs from the shell that holds the sockets. */
import type { CloseStatus } from '../receivers/index.js';

/** The wire of one upstream. Nothing in it may throw. */
export interface UpstreamPort {
  /** Connects; answered with `dialled` or `dialFailed` of the actor. */
  dial(): void;
  abortDial(): void;
  read(): void;
  stopReading(): void;
  /** A ping for a WebSocket target; nothing for a TCP one, whose silence TCP keepalive judges. */
  sendHeartbeat(): void;
  /** A Close frame behind everything that waits, or a FIN for a TCP target. */
  sendClose(code: CloseStatus, reason: string): void;
  /** Both Close frames were exchanged; the target ends TCP, since it is the server there (RFC 6455 section 7.1.1). */
  end(): void;
  terminate(): void;
  /** True when the peer's silence since the last call says nothing: it was not read, or was busy reading from us. */
  takeExcuse(): boolean;
  /** Finds out whether a peer that is not read from has reset the connection meanwhile. */
  probe(): void;
  /** True when the target speaks WebSocket, so that it answers a Close frame and a ping. */
  readonly speaksWebSocket: boolean;
  readonly bytesRead: number;
}
