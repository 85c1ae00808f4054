/**
 * Owns one direction of one connection at its rate: how much of what is there may pass now, and the wait until more may. Refuses to
 * know bytes.
 */
import type { Pacer, Waiting } from './pacer.js';
import { TokenBucket } from './token-bucket.js';

/** How much may pass at once after a rest, as a time at the full rate. Over ten seconds it is one percent. */
const BURST_MS = 100;

/** A wait is over when so much may pass, as a time at the full rate: less at a time would cost a read and a write for each packet. */
const WORTH_MS = 30;

/** What is as small as this passes whole: a packet cut in two costs twice, and the debt is paid before anything more passes. */
const PACKET_BYTES = 1460;

/** A direction with a rate, or without. */
export class Lane implements Waiting {
  before: Waiting | undefined;
  behind: Waiting | undefined;
  readonly #pacer: Pacer;
  readonly #onReady: () => void;
  #bucket: TokenBucket | undefined;
  /** A wait is over when that much may pass, so that a slow direction is not cut into single bytes. */
  #least = 1;

  /** @param onReady called when a wait is over. */
  constructor(pacer: Pacer, onReady: () => void) {
    this.#pacer = pacer;
    this.#onReady = onReady;
  }

  get waiting(): boolean {
    return this.#pacer.has(this);
  }

  /** Sets the rate, in bits a second; 0 for none. Whoever waits goes on with it. */
  limit(bitsPerSecond: number): void {
    const { now } = this.#pacer;
    const bytes = bitsPerSecond / 8;
    const burst = Math.max(1, (bytes * BURST_MS) / 1000);
    this.#least = Math.max(Math.min(PACKET_BYTES, burst), (bytes * WORTH_MS) / 1000);
    if (bitsPerSecond <= 0) this.#bucket = undefined;
    else if (this.#bucket === undefined) this.#bucket = new TokenBucket(bytes, burst, now);
    else this.#bucket.change(bytes, burst, now);
    if (!this.waiting || !this.isDue(now)) return;
    this.#pacer.leave(this);
    this.onDue();
  }

  /** How many of that many bytes may pass now; 0 when it is time to wait. */
  cut(length: number): number {
    if (this.#bucket === undefined) return length;
    const level = this.#level();
    if (level < 1) return 0;
    return length <= Math.max(level, PACKET_BYTES) ? length : Math.floor(level);
  }

  /** How many of that many bytes are worth preparing, whether they may pass now or have to wait. */
  ahead(length: number): number {
    if (this.#bucket === undefined || length <= PACKET_BYTES) return length;
    return Math.min(length, Math.max(PACKET_BYTES, Math.floor(this.#level())));
  }

  spend(bytes: number): void {
    this.#bucket?.spend(bytes);
  }

  /** Whether anything may pass now. */
  get open(): boolean {
    return this.#bucket === undefined || this.#level() >= 1;
  }

  /** Waits until more may pass; `onReady` tells. */
  wait(): void {
    this.#pacer.wait(this);
  }

  leave(): void {
    this.#pacer.leave(this);
  }

  isDue(now: number): boolean {
    return this.#bucket === undefined || this.#bucket.level(now, true) >= this.#least;
  }

  onDue(): void {
    this.#onReady();
  }

  #level(): number {
    return this.#bucket?.level(this.#pacer.now, this.waiting) ?? Number.POSITIVE_INFINITY;
  }
}
