/** Owns when a connection counts as idle. Refuses to decide what follows; the chart and its receiver do. */
import type { Traffic } from '../receivers/index.js';
import { type DatedEntry, type TimerWheel, Wait } from './timer-wheel.js';

/** How finely an idle connection is told from a busy one: a fraction of the idle timeout. */
const LOOKS = 8;

/** Who may be idle. */
export interface Idling {
  readonly port: { readonly received: Traffic; readonly sent: Traffic };
  expireIdle(): void;
}

/** Tells one whose activity has not changed for the timeout (up to an eighth more), and again each time that passes, until it is cancelled. */
export class IdleWatch extends Wait implements DatedEntry {
  readonly #idling: Idling;
  readonly #wheel: TimerWheel;
  /** Milliseconds between two looks. */
  readonly #every: number;
  #seen: number;
  #quietLooks = 0;
  #cancelled = false;

  /** @param timeout milliseconds. */
  constructor(idling: Idling, wheel: TimerWheel, timeout: number) {
    super();
    this.#idling = idling;
    this.#wheel = wheel;
    this.#every = timeout / LOOKS;
    this.#seen = activity(idling);
    wheel.enter(this, this.#every);
  }

  /** When it is told, if nothing changes until then. */
  get due(): number {
    const isQuiet = activity(this.#idling) === this.#seen;
    const looksMore = isQuiet ? LOOKS - 1 - this.#quietLooks : LOOKS;
    return this.#wheel.dueOf(this) + looksMore * this.#every;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#wheel.leave(this);
  }

  onDue(): void {
    const now = activity(this.#idling);
    this.#quietLooks = now === this.#seen ? this.#quietLooks + 1 : 0;
    this.#seen = now;
    if (this.#quietLooks >= LOOKS) {
      this.#quietLooks = 0;
      this.#idling.expireIdle();
    }
    if (!this.#cancelled) this.#wheel.enter(this, this.#every);
  }
}

/** Grows with every message or payload byte in either direction; heartbeats do not count. */
function activity({ port: { received, sent } }: Idling): number {
  return received.messages + received.bytes + sent.messages + sent.bytes;
}
