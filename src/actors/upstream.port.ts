/** Owns what an upstream actor needs from the shell that holds the sockets. */
import type { SidePort } from './side.port.js';

/** The wire of one upstream. Nothing in it may throw. */
export interface UpstreamPort extends SidePort {
  /** Connects; answered with `dialled` or `dialFailed` of the actor. */
  dial(): void;
  abortDial(): void;
  /** True when the target speaks WebSocket, so that it answers a Close frame and a ping. */
  readonly speaksWebSocket: boolean;
}
