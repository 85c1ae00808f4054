/**
 * Owns the order in which a wire hands on what came: what was given back, what it kept, what comes, and the end; one after the
 * other, and never while its reader is at work on bytes. Refuses to read.
 */
import { copyIfShared } from './read-buffer.js';
import type { WireReader } from './wire.js';

/** The reading half of a wire. A base class and not an object of its own: every connection has two. */
export abstract class Incoming {
  protected reader: WireReader | undefined;
  /** What comes is handed on. */
  protected reading = false;
  #unread: Buffer[] | undefined;
  /** The reader is within `onBytes`. */
  #handing = false;
  /** It asked there for more. */
  #asked = false;
  /** The peer's end came while nobody was reading. */
  #endUntold = false;
  #endTold = false;

  abstract get closed(): boolean;

  attach(reader: WireReader): void {
    this.reader = reader;
  }

  read(): void {
    if (this.closed) return;
    this.reading = true;
    if (this.#handing) this.#asked = true;
    else this.#goOn();
  }

  unread(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#unread = [bytes, ...(this.#unread ?? [])];
    // What is read again comes before the end, also before one that was told.
    if (!this.#endTold) return;
    this.#endTold = false;
    this.#endUntold = true;
  }

  /** Whether there are bytes to be handed on before any that come. */
  protected get keeps(): boolean {
    return this.#unread !== undefined;
  }

  /** Whether the reader is at work on bytes. */
  protected get handing(): boolean {
    return this.#handing;
  }

  /** Nothing is left to be handed on: the socket may be read. */
  protected abstract readSocket(): void;

  /** Hands on what came, or keeps it if nobody reads. Answers which. */
  protected came(bytes: Buffer): boolean {
    if (!this.reading) {
      this.#unread ??= [];
      this.#unread.push(copyIfShared(bytes));
      return false;
    }
    this.#hand(bytes);
    if (this.#asked || this.#unread !== undefined) this.#goOn();
    return true;
  }

  /** The peer ended. */
  protected cameToEnd(): void {
    if (this.reading) this.tellEnd();
    else this.#endUntold = true;
  }

  protected tellEnd(): void {
    this.#endUntold = false;
    this.#endTold = true;
    this.reader?.onEnd();
  }

  /** Takes out what was to be handed on. */
  protected takeUnread(): readonly Buffer[] {
    const unread = this.#unread ?? [];
    this.#unread = undefined;
    return unread;
  }

  /** Nothing more is handed on. */
  protected forget(): void {
    this.reading = false;
    this.#unread = undefined;
  }

  #goOn(): void {
    while (this.reading && this.#unread !== undefined) {
      const bytes = this.#unread.shift();
      if (this.#unread.length === 0) this.#unread = undefined;
      if (bytes !== undefined) this.#hand(bytes);
    }
    if (!this.reading) return;
    if (this.#endUntold) this.tellEnd();
    else this.readSocket();
  }

  #hand(bytes: Buffer): void {
    this.#handing = true;
    this.#asked = false;
    try {
      this.reader?.onBytes(bytes);
    } finally {
      this.#handing = false;
    }
  }
}
