/** Owns the members of a group that were asked and have not answered: until they do, are gone, or time is up. Refuses to ask them. */
import type { GroupResult } from '../../protocol/control/messages.js';
import type { GroupPeer } from './group-peer.js';
import type { Tally } from './tally.js';

/** How many asks of the application may wait. */
const MAX_OWN = 1000;
/** And how many on behalf of one other member. */
const MAX_ON_BEHALF = 250;

/** What an ask is made of, beside who is asked. */
export interface Asking {
  readonly tally: Tally;
  /** Milliseconds. */
  readonly wait: number;
  /** On whose behalf it is asked; undefined for the application. */
  readonly for: GroupPeer | undefined;
}

interface Ask extends Asking {
  readonly waiting: Set<GroupPeer>;
  readonly timer: NodeJS.Timeout;
  settled(): void;
}

/** What one member of a group waits for. */
export class PendingAsks {
  readonly #asks = new Map<string, Ask>();
  /** The ids of the asks on each one's behalf, oldest first. */
  readonly #askedBy = new Map<GroupPeer | undefined, Set<string>>();
  #count = 0;

  /** An id for one more; never used before. */
  nextId(): string {
    this.#count += 1;
    return `g${this.#count}`;
  }

  /**
   * Resolves when each of these has answered or is lost. While more wait than may, the oldest is given up: a member that hangs costs
   * others the certainty of what it did, and no message.
   */
  wait(id: string, peers: Iterable<GroupPeer>, asking: Asking): Promise<void> {
    const waiting = new Set(peers);
    if (waiting.size === 0) return Promise.resolve();
    const settled = new Promise<void>((settle) => {
      const timer = setTimeout(() => this.#giveUp(id), asking.wait);
      this.#asks.set(id, { ...asking, waiting, timer, settled: settle });
    });
    const ids = this.#askedBy.get(asking.for) ?? new Set();
    this.#askedBy.set(asking.for, ids.add(id));
    const [oldest] = ids;
    if (oldest !== undefined && ids.size > (asking.for === undefined ? MAX_OWN : MAX_ON_BEHALF)) this.#giveUp(oldest);
    return settled;
  }

  /** Answers whether that was asked of it, and not answered yet. */
  answered(peer: GroupPeer, result: GroupResult): boolean {
    const ask = this.#asks.get(result.id);
    if (ask?.waiting.delete(peer) !== true) return false;
    ask.tally.add(peer.speaksForOthers ? result : ownAnswer(peer, result));
    if (ask.waiting.size === 0) this.#settle(result.id, ask);
    return true;
  }

  /** Nothing comes from it any more. */
  gone(peer: GroupPeer): void {
    for (const [id, ask] of this.#asks) {
      if (!ask.waiting.delete(peer)) continue;
      ask.tally.lose(peer.id);
      if (ask.waiting.size === 0) this.#settle(id, ask);
    }
  }

  /** Waits for nobody any more. */
  close(): void {
    for (const id of [...this.#asks.keys()]) this.#giveUp(id);
  }

  #giveUp(id: string): void {
    const ask = this.#asks.get(id);
    if (ask === undefined) return;
    for (const { id: lost } of ask.waiting) ask.tally.lose(lost);
    this.#settle(id, ask);
  }

  #settle(id: string, ask: Ask): void {
    clearTimeout(ask.timer);
    this.#asks.delete(id);
    const ids = this.#askedBy.get(ask.for);
    ids?.delete(id);
    if (ids?.size === 0) this.#askedBy.delete(ask.for);
    ask.settled();
  }
}

/** A backend has its own clients only, whatever it says. */
function ownAnswer({ id }: GroupPeer, result: GroupResult): GroupResult {
  return {
    ...result,
    reached: result.reached.includes(id) ? [id] : [],
    lost: result.lost.includes(id) ? [id] : [],
  };
}
