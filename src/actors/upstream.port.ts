/** Owns what an upstream actor needs from the shell that holds the sockets. */
import type { Refusal } from './connection.effects.js';
import type { Ending } from './ending.js';
import type { SidePort } from './side.port.js';

/** The wire of one upstream. Nothing in it may throw. */
export interface UpstreamPort extends SidePort {
  /** Connects; answered with `dialled` or `dialFailed` of the actor. */
  dial(): void;
  abortDial(): void;
  /** The upstream is over: reached and gone, or not reached, when there may be a refusal. Called once, and last. */
  over(ending: Ending | undefined, refusal?: Refusal): void;
  /** What the client is told of a target that was lost without a word; undefined: what it is told anyway, 1011. */
  lossEnding(): Ending | undefined;
  /** True when the target speaks WebSocket, so that it answers a Close frame and a ping. */
  readonly speaksWebSocket: boolean;
  /** Bytes accepted for the target and not with the operating system yet. */
  readonly bufferedBytes: number;
}
