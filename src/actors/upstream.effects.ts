/** Owns the effects that the `upstream` chart may have. */
import type { Ending } from './ending.js';
import type { SideEffects } from './side.effects.js';

/** Deadlines of an upstream, in milliseconds; 0 means none. */
export interface UpstreamTimeouts {
  readonly dial: number;
  readonly close: number;
  readonly writeStall: number;
}

/** Everything the `upstream` chart can do. None may throw. */
export interface UpstreamEffects extends SideEffects {
  readonly timeouts: UpstreamTimeouts;
  /** Connect, and for a WebSocket target do the opening handshake. */
  dial(): void;
  /** Give up a dial that is under way. */
  abortDial(): void;
  /** The dial took too long: it failed with UPSTREAM_TIMEOUT. */
  expireDial(): void;
  /** The other side of the pair learns that there will be no upstream. */
  announceUnreachable(): void;
  /** The other side of the pair learns that the upstream is gone. */
  announceClosed(ending: Ending): void;
}
