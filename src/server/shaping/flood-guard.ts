/**
 * Owns how much one client may send in a time: frames and bytes a second, with a burst. Who sends more waits, and whoever is held back
 * for too long floods. Refuses to stop reading or to close; whoever asked does.
 */
import type { Pacer, Waiting } from './pacer.js';
import { TokenBucket } from './token-bucket.js';

/** What a client may send. */
export interface FloodLimits {
  /** Messages a second, and with them fragments, pings and pongs; 0 for any. */
  readonly messagesPerSecond: number;
  /** Bytes a second, as they are on the wire; 0 for any. */
  readonly bytesPerSecond: number;
  /** How much may come at once: what the rate allows in this time. Milliseconds. */
  readonly floodBurst: number;
  /** How long a client may be held back. Milliseconds. */
  readonly floodGrace: number;
}

/** Whoever keeps to less than its rate for a while has saved up this part of its burst, and begins anew. */
const RESTED = 0.5;

/** Watches over one client. */
export class FloodGuard implements Waiting {
  before: Waiting | undefined;
  behind: Waiting | undefined;
  /** Frames that came since the last `passed`; whoever reads them counts. */
  frames = 0;
  readonly #pacer: Pacer;
  readonly #limits: FloodLimits;
  readonly #onFlood: (why: string) => void;
  readonly #frames: TokenBucket | undefined;
  readonly #bytes: TokenBucket | undefined;
  /** It holds back since then. */
  #since: number | undefined;
  /** Called when the client may be read again. */
  onOpen: () => void = () => {};

  /** @param onFlood called once, when the client was held back for longer than the grace. */
  constructor(pacer: Pacer, limits: FloodLimits, onFlood: (why: string) => void) {
    this.#pacer = pacer;
    this.#limits = limits;
    this.#onFlood = onFlood;
    const bucket = (perSecond: number) =>
      perSecond > 0 ? new TokenBucket(perSecond, this.#burst(perSecond), pacer.now) : undefined;
    this.#frames = bucket(limits.messagesPerSecond);
    this.#bytes = bucket(limits.bytesPerSecond);
  }

  get waiting(): boolean {
    return this.#pacer.has(this);
  }

  /** What was read is dealt with. Answers whether more may be read; if not, `onOpen` tells when. */
  passed(bytes: number): boolean {
    const { now } = this.#pacer;
    const { frames } = this;
    this.frames = 0;
    if (this.#since !== undefined && this.#share(now) >= RESTED) this.#since = undefined;
    this.#frames?.spend(frames);
    this.#bytes?.spend(bytes);
    if (this.#isOpen(now)) return true;
    this.#since ??= now;
    this.#pacer.wait(this);
    return false;
  }

  leave(): void {
    this.#pacer.leave(this);
  }

  isDue(now: number): boolean {
    return this.#isOpen(now) || this.#floods(now);
  }

  onDue(now: number): void {
    if (!this.#floods(now)) {
      this.onOpen();
      return;
    }
    const { messagesPerSecond, bytesPerSecond, floodGrace } = this.#limits;
    const limits = [
      messagesPerSecond > 0 ? `${messagesPerSecond} messages` : '',
      bytesPerSecond > 0 ? `${bytesPerSecond} bytes` : '',
    ].filter((text) => text !== '');
    this.#onFlood(`more than ${limits.join(' or ')} a second for ${floodGrace} ms`);
  }

  #isOpen(now: number): boolean {
    const frames = this.#frames?.level(now, this.waiting) ?? 1;
    const bytes = this.#bytes?.level(now, this.waiting) ?? 1;
    return frames >= 1 && bytes >= 1;
  }

  #floods(now: number): boolean {
    return this.#since !== undefined && now - this.#since >= this.#limits.floodGrace;
  }

  /** How much of its burst is there again. */
  #share(now: number): number {
    const { messagesPerSecond, bytesPerSecond } = this.#limits;
    const frames = (this.#frames?.level(now) ?? 1) / (messagesPerSecond > 0 ? this.#burst(messagesPerSecond) : 1);
    const bytes = (this.#bytes?.level(now) ?? 1) / (bytesPerSecond > 0 ? this.#burst(bytesPerSecond) : 1);
    return Math.min(frames, bytes);
  }

  #burst(perSecond: number): number {
    return Math.max(1, (perSecond * this.#limits.floodBurst) / 1000);
  }
}
