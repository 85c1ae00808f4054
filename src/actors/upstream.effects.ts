/** Owns the effects that the `upstream` chart may have. */
import type { Ending } from './ending.js';

/** Deadlines of an upstream, in milliseconds; 0 means none. */
export interface UpstreamTimeouts {
  readonly dial: number;
  readonly close: number;
  readonly writeStall: number;
}

/** Everything the `upstream` chart can do. None may throw. */
export interface UpstreamEffects {
  readonly timeouts: UpstreamTimeouts;
  /** Connect, and for a WebSocket target do the opening handshake. */
  dial(): void;
  /** Give up a dial that is under way. */
  abortDial(): void;
  /** The dial took too long: it failed with UPSTREAM_TIMEOUT. */
  expireDial(): void;
  pauseReading(): void;
  resumeReading(): void;
  sendPing(): void;
  /** Begin or answer the closing handshake; a FIN toward a TCP target. */
  sendClose(ending: Ending): void;
  /** The client gave its answer to the target's Close frame: pass it on. */
  answerClose(ending: Ending): void;
  /** Both Close frames were exchanged: wait for the target to end the transport. */
  finishClose(): void;
  terminate(): void;
  /** The other side of the pair learns that there will be no upstream. */
  announceUnreachable(): void;
  /** The other side of the pair learns that the upstream is gone. */
  announceClosed(ending: Ending): void;
}
