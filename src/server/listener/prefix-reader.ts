/**
 * Owns reading what a connection begins with, until it is decided what follows: the bytes that were looked at are kept and given back.
 * Refuses to decide, and to wait for a bounded time: whoever began has a deadline.
 */
import { Buffer } from 'node:buffer';
import type { Wire, WireReader } from '../wires/wire.js';

/** Looks at the beginning of a connection. */
export abstract class PrefixReader implements WireReader {
  readonly wire: Wire;
  #held: Buffer | undefined;
  #done = false;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  /** Begins to read. */
  start(): void {
    this.wire.attach(this);
    this.wire.read();
  }

  /** Looks at all bytes that came so far, which are the wire's. Whoever has seen enough calls `finish`. */
  protected abstract look(bytes: Buffer): void;
  /** The peer ended before enough had come; `bytes` are what did. */
  protected abstract onShort(bytes: Buffer): void;
  /** The peer is gone. */
  protected abstract onGone(): void;

  /** Gives back everything from `start` on, and looks no further: `next` goes on with the wire, which is not read. */
  protected finish(bytes: Buffer, start: number, next: () => void): void {
    this.#done = true;
    this.#held = undefined;
    this.wire.stopReading();
    this.wire.unread(Buffer.from(bytes.subarray(start)));
    next();
  }

  onBytes(chunk: Buffer): void {
    if (this.#done) return;
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.look(bytes);
    if (!this.#done) this.#held = bytes === chunk ? Buffer.from(chunk) : bytes;
  }

  onEnd(): void {
    if (!this.#done) this.onShort(this.#held ?? NOTHING);
  }

  onDrain(): void {}

  onClosed(): void {
    if (this.#done) return;
    this.#done = true;
    this.onGone();
  }
}

const NOTHING = Buffer.alloc(0);
