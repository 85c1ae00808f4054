/**
 * Owns what a relay that forgets has to be told again: the relay of `@statelyai/inspect` keeps its last 200 messages for pages that come
 * later, and a page that has not seen an actor's definition draws nothing. Refuses to send.
 */
import type { ActorFrame, Frame } from './frames.js';

/** How many messages the relay keeps. */
const RELAY_KEEPS = 200;

interface Remembered {
  frame: ActorFrame;
  /** How many frames were sent before it was told of last. */
  at: number;
}

/** The actors that a relay was told of. */
export class RelayMemory {
  readonly #isShown: (sessionId: string) => boolean;
  readonly #lifetime: number;
  /** In the order in which they were told of last. */
  readonly #actors = new Map<string, Remembered>();
  #sent = 0;

  /**
   * @param maxActors how many may be shown at a time: so many may have to be told again in a row.
   * @param isShown whether an actor is still shown; one that is not is forgotten.
   */
  constructor(maxActors: number, isShown: (sessionId: string) => boolean) {
    this.#isShown = isShown;
    this.#lifetime = Math.max(1, RELAY_KEEPS - 10 - maxActors);
  }

  /** An actor that the relay is about to forget, as it is now; undefined for none. To be sent before anything else. */
  due(): ActorFrame | undefined {
    for (const [sessionId, { frame, at }] of this.#actors) {
      if (this.#sent - at < this.#lifetime) return undefined;
      this.#actors.delete(sessionId);
      if (this.#isShown(sessionId)) return { ...frame, createdAt: String(Date.now()) };
    }
    return undefined;
  }

  /** A frame is sent. */
  sent(frame: Frame): void {
    this.#sent += 1;
    if (frame.type === '@xstate.actor') {
      this.#actors.delete(frame.sessionId);
      this.#actors.set(frame.sessionId, { frame, at: this.#sent });
    } else if (frame.type === '@xstate.snapshot') {
      const known = this.#actors.get(frame.sessionId);
      if (known !== undefined) known.frame = { ...known.frame, snapshot: frame.snapshot };
    }
  }
}
