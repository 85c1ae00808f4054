/**
 * Owns the order of bytes on the wire of a client that speaks no WebSocket: what the target sends, what the application sends, and
 * our FIN behind everything. Refuses to know messages.
 */
import { Buffer } from 'node:buffer';
import type { SendResult } from '../../receivers/index.js';
import { Outlet } from './outlet.js';

/** The writing side of a plain TCP client. */
export class BytesOutlet extends Outlet {
  // Nothing waits most of the time.
  #waiting: Buffer[] | undefined;
  #waitingBytes = 0;
  #closing = false;
  #ended = false;

  /** True once our FIN was asked for: nothing more is accepted. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Our FIN is with the wire. */
  get closeWritten(): boolean {
    return this.#ended;
  }

  override get bufferedBytes(): number {
    return this.#waitingBytes + this.wire.bufferedBytes;
  }

  /** Passes on bytes that came by another wire. Answers whether their source may go on. */
  pass(bytes: Buffer): boolean {
    if (this.#closing) return true;
    if (this.#waiting === undefined) return this.write(bytes);
    this.#wait(Buffer.from(bytes));
    return false;
  }

  /** Sends bytes of the application; they must not be changed any more. */
  message(bytes: Buffer): SendResult {
    if (this.#closing || this.wire.closed) return 'closed';
    // Behind a full wire they wait here and not in the socket, so that what the peer takes shows as progress.
    if (this.blocked || this.#waiting !== undefined) {
      this.#wait(bytes);
      return 'queued';
    }
    return this.write(bytes) ? 'accepted' : 'queued';
  }

  /** Ends our direction behind everything that waits. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#flush();
    // Whoever feeds this outlet has to go on reading, to find its end.
    this.owner.onDrained();
  }

  protected override writable(): void {
    this.#flush();
  }

  #wait(bytes: Buffer): void {
    this.#waiting ??= [];
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  #flush(): void {
    this.cork();
    while (this.#waiting !== undefined && !this.blocked) {
      const bytes = this.#waiting.shift();
      if (this.#waiting.length === 0) this.#waiting = undefined;
      if (bytes === undefined) continue;
      this.#waitingBytes -= bytes.length;
      this.write(bytes);
    }
    this.uncork();
    if (!this.#closing || this.#ended || this.#waiting !== undefined) return;
    this.#ended = true;
    this.wire.end();
  }
}
