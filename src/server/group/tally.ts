/** Owns the sum of what the members of a group did, each of whom counts once. Refuses to ask them. */
import type { GroupResult } from '../../protocol/control/messages.js';
import type { BroadcastReport } from '../broadcast.js';
import type { GroupReport } from './group.js';

/** What one member, or several together, say. */
export type Answer = Omit<GroupResult, 'type' | 'id'>;

/** Nobody did anything. */
export const NOTHING: BroadcastReport = { matched: 0, accepted: 0, queued: 0, dropped: 0, closed: 0 };

/** A sum that grows. */
export class Tally {
  #counts = NOTHING;
  readonly #reached = new Set<string>();
  readonly #lost = new Set<string>();

  add(answer: Answer): void {
    const counts = this.#counts;
    this.#counts = {
      matched: counts.matched + answer.matched,
      accepted: counts.accepted + answer.accepted,
      queued: counts.queued + answer.queued,
      dropped: counts.dropped + answer.dropped,
      closed: counts.closed + answer.closed,
    };
    for (const id of answer.reached) this.#reached.add(id);
    for (const id of answer.lost) this.#lost.add(id);
  }

  lose(id: string): void {
    this.#lost.add(id);
  }

  report(): GroupReport {
    // Who could not be asked by one way, and was by another, is not lost.
    const lost = [...this.#lost].filter((id) => !this.#reached.has(id));
    return { ...this.#counts, reached: [...this.#reached], lost, complete: lost.length === 0 };
  }
}
