/**
 * Owns the wire of a server whose other end is in the same memory. It is as fast or as slow as that end reads, ends as a socket does,
 * and keeps as much on its way as a system would. Refuses to know who is at the other end.
 */
import type { Pass } from '../server/admission/pass.js';
import { Incoming } from '../server/wires/incoming.js';
import type { AcceptedWire, Wire, WireAddresses } from '../server/wires/wire.js';

/** The other end of a wire, as the wire sees it. Nothing in it may throw, or call the wire back at once. */
export interface FarEnd {
  /** Whether it takes what comes. */
  readonly reading: boolean;
  onBytes(bytes: Buffer): void;
  /** The server ended its direction. */
  onEnd(): void;
  /** The wire is gone: cut by the server, or because both ends have ended. */
  onClosed(): void;
}

/** Bytes that are on their way to an end that does not read before a write has to wait: what a system would hold. */
export const DEFAULT_WINDOW = 64 * 1024;

/** A wire in memory. */
export class MemoryWire extends Incoming implements AcceptedWire {
  before: Wire | undefined;
  behind: Wire | undefined;
  pass: Pass | undefined;
  readonly addresses: WireAddresses;
  readonly tls = undefined;
  bytesRead = 0;
  closed = false;
  far: FarEnd | undefined;
  readonly #window: number;
  readonly #gone: ((wire: MemoryWire) => void) | undefined;
  /** What was sent to this end, and not read yet; undefined is the end. */
  #arrived: Array<Buffer | undefined> = [];
  #draining = false;
  /** What was written, and not taken yet. */
  #sent: Buffer[] = [];
  #sentBytes = 0;
  #corks = 0;
  #blocked = false;
  #ended = false;
  #endTold = false;
  #farEnded = false;
  /** Nobody would notice a reset now. */
  #deaf = false;
  #reset: Error | undefined;
  #lost = 0;

  /**
   * @param window how many bytes may be on their way before a write has to wait.
   * @param gone called when the wire is closed, after its reader.
   */
  constructor(addresses: WireAddresses, window: number, gone?: (wire: MemoryWire) => void) {
    super();
    this.addresses = addresses;
    this.#window = window;
    this.#gone = gone;
  }

  get bufferedBytes(): number {
    return this.closed ? this.#lost : Math.max(0, this.#sentBytes - this.#window);
  }

  // What the server does.

  stopReading(): void {
    this.reading = false;
    this.#deaf = true;
  }

  watch(): void {
    this.reading = false;
    this.#listen();
  }

  probe(): void {
    this.#listen();
  }

  write(bytes: Buffer, start = 0, end = bytes.length): boolean {
    if (this.closed || this.#ended) return true;
    if (end > start) {
      // A copy: what is handed on may be changed afterwards.
      this.#sent.push(Buffer.from(bytes.subarray(start, end)));
      this.#sentBytes += end - start;
    }
    return this.#corks > 0 || this.#flush();
  }

  cork(): void {
    this.#corks += 1;
  }

  uncork(): boolean {
    this.#corks -= 1;
    return this.closed || this.#corks > 0 || this.#flush();
  }

  end(): void {
    if (this.closed || this.#ended) return;
    this.#corks = 0;
    this.#ended = true;
    this.#flush();
    // Without a reader the end of the other side would never be seen, and the wire never closed.
    if (!this.#farEnded) this.read();
  }

  terminate(): void {
    if (this.closed) return;
    this.#close(undefined);
  }

  /** There is no socket under it. */
  release(): undefined {}

  // What the other end does.

  /** Bytes that the other end sent and that were not read yet. */
  get unreadBytes(): number {
    return this.#arrived.reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0);
  }

  /** The other end sends bytes. */
  arrive(bytes: Buffer): void {
    if (this.closed || bytes.length === 0) return;
    this.#arrived.push(bytes);
    this.#drain();
  }

  /** The other end ends its direction. */
  arriveEnd(): void {
    if (this.closed || this.#farEnded) return;
    this.#farEnded = true;
    this.#arrived.push(undefined);
    this.#drain();
  }

  /** The other end resets the connection. What was on its way is lost. */
  arriveReset(): void {
    if (this.closed) return;
    this.#reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    this.#arrived = [];
    if (!this.#deaf) this.#listen();
  }

  /** The other end reads again. */
  taken(): void {
    if (this.closed) return;
    const roomy = this.#flush();
    if (!roomy || !this.#blocked) return;
    this.#blocked = false;
    this.reader?.onDrain();
  }

  protected readSocket(): void {
    this.#listen();
    this.#drain();
  }

  #listen(): void {
    this.#deaf = false;
    if (this.#reset !== undefined && !this.closed) this.#close(this.#reset);
  }

  #drain(): void {
    if (this.#draining || this.handing) return;
    this.#draining = true;
    try {
      while (this.reading && !this.closed && this.#arrived.length > 0) {
        const bytes = this.#arrived.shift();
        if (bytes === undefined) this.cameToEnd();
        else {
          this.bytesRead += bytes.length;
          this.came(bytes);
        }
      }
    } finally {
      this.#draining = false;
    }
    this.#endBoth();
  }

  /** Hands on what was written, if the other end reads. Answers whether more may follow. */
  #flush(): boolean {
    while (this.far?.reading === true && this.#sent.length > 0) {
      const bytes = this.#sent.shift()!;
      this.#sentBytes -= bytes.length;
      this.far.onBytes(bytes);
    }
    if (this.#ended && !this.#endTold && this.#sent.length === 0) {
      this.#endTold = true;
      this.far?.onEnd();
      this.#endBoth();
    }
    const roomy = this.bufferedBytes === 0;
    if (!roomy) this.#blocked = true;
    return roomy;
  }

  #endBoth(): void {
    const isRead = this.#farEnded && this.#arrived.length === 0;
    if (isRead && this.#ended && this.#sent.length === 0 && !this.closed) this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    this.#lost = this.bufferedBytes;
    this.closed = true;
    this.forget();
    this.#arrived = [];
    this.#sent = [];
    this.#sentBytes = 0;
    // As with a socket: whoever closes it is told afterwards.
    queueMicrotask(() => {
      this.reader?.onClosed(error);
      this.#gone?.(this);
      this.far?.onClosed();
    });
  }
}
