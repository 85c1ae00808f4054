/** Owns the effects that the charts of both sides of a pair have in common. */
import type { Ending } from './ending.js';

/** What the chart of either side can do to its wire. None may throw. */
export interface SideEffects {
  pauseReading(): void;
  resumeReading(): void;
  /** Send the heartbeat's ping, unless the receiver sent something of its own. */
  sendPing(): void;
  /** Begin or answer the closing handshake, at the end of what waits; a FIN toward a peer that speaks no WebSocket. */
  sendClose(ending: Ending): void;
  /** The other side of the pair gave its answer to the peer's Close frame: pass it on. */
  answerClose(ending: Ending): void;
  /** Both Close frames were exchanged: the server of this wire ends the transport. */
  finishClose(): void;
  /** Cut the transport. */
  terminate(): void;
}
