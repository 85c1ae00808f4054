/**
 * Owns reading one HTTP head from a wire, whole, however it was cut into pieces. Refuses to parse it, to read any further, and
 * to wait for a bounded time: whoever began has a deadline.
 */
import { HeadFinder } from '../../protocol/http-head.js';
import type { Wire, WireReader } from '../wires/wire.js';

/** Reads a head. Exactly one of the callbacks is called, once; the wire hands nothing on any more then. */
export abstract class HeadReader implements WireReader {
  readonly wire: Wire;
  readonly #maxBytes: number;
  readonly #maxLines: number;
  readonly #finder = new HeadFinder();
  /** What came in pieces: `[0, length)` of a buffer that may be larger. */
  #held: Buffer | undefined;
  #length = 0;
  #begun = 0;
  #done = false;

  constructor(wire: Wire, maxBytes: number, maxFields = Number.POSITIVE_INFINITY) {
    this.wire = wire;
    this.#maxBytes = maxBytes;
    this.#maxLines = 1 + maxFields;
  }

  /** Bytes of the head that came so far. */
  get received(): number {
    return this.#finder.looked;
  }

  /** Fields that came so far. */
  protected get fields(): number {
    return this.#finder.lines - 1;
  }

  /** Milliseconds since its first bytes came; 0 for a head that came whole. */
  get waited(): number {
    return this.#begun === 0 ? 0 : performance.now() - this.#begun;
  }

  /** Begins to read. */
  start(): void {
    this.wire.attach(this);
    this.wire.read();
  }

  /** Reads no further; nothing is called any more. */
  stop(): void {
    this.#done = true;
    this.#held = undefined;
    this.wire.stopReading();
  }

  /** The head, with the empty line at its end. What came behind it was given back to the wire; `skipped` bytes of empty lines were before it. */
  protected abstract onHead(text: string, skipped: number): void;
  /** The bytes cannot become a head. `bytes` are all that came; they are the wire's, and gone when this returns. */
  protected abstract onFault(fault: string, bytes: Buffer): void;
  /** It is larger, or has more fields, than it may. */
  protected abstract onTooBig(): void;
  /** The peer is gone, or ended its direction before it had sent anything. */
  protected abstract onGone(error: Error | undefined): void;

  /** The first line is not there yet: a fault in what is can be told now. */
  protected faultInBeginning(_bytes: Buffer): string | undefined {
    return undefined;
  }

  /** The first line is there and the rest is not: a fault in it can be told now. */
  protected faultInFirstLine(_line: string): string | undefined {
    return undefined;
  }

  onBytes(chunk: Buffer): void {
    if (this.#done) return;
    const finder = this.#finder;
    const bytes = this.#held === undefined ? chunk : this.#append(chunk);
    const linesBefore = finder.lines;
    const end = finder.find(bytes);
    if (finder.fault !== undefined) {
      this.#finish(() => this.onFault(finder.fault ?? '', bytes));
    } else if ((end === -1 ? bytes.length : end) > this.#maxBytes || finder.lines > this.#maxLines) {
      this.#finish(() => this.onTooBig());
    } else if (end === -1) {
      if (this.#held === undefined) {
        this.#begun = performance.now();
        this.#append(chunk);
      }
      if (linesBefore === 0) this.#checkBeginning(bytes, finder.lines > 0);
    } else {
      const text = bytes.toString('latin1', finder.skipped, end);
      // A copy: the chunk belongs to the wire.
      if (end < bytes.length) this.wire.unread(Buffer.from(bytes.subarray(end)));
      this.#done = true;
      this.#held = undefined;
      // Whoever goes on with the connection reads it soon: stopping for that long costs four system calls.
      this.wire.watch();
      this.onHead(text, finder.skipped);
    }
  }

  onEnd(): void {
    if (this.#done) return;
    const bytes = this.#held?.subarray(0, this.#length);
    if (bytes !== undefined) this.#finish(() => this.onFault('it ended before its head did', bytes));
    else this.#finish(() => this.onGone(undefined));
  }

  onDrain(): void {}

  onClosed(error: Error | undefined): void {
    if (!this.#done) this.#finish(() => this.onGone(error));
  }

  #finish(tell: () => void): void {
    this.stop();
    tell();
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length;
    let held = this.#held;
    if (held === undefined || length > held.length) {
      held = Buffer.allocUnsafe(Math.max(512, 2 * length));
      this.#held?.copy(held, 0, 0, this.#length);
      this.#held = held;
    }
    chunk.copy(held, this.#length);
    this.#length = length;
    return held.subarray(0, length);
  }

  #checkBeginning(bytes: Buffer, hasLine: boolean): void {
    const start = this.#finder.skipped;
    const fault = hasLine
      ? this.faultInFirstLine(bytes.toString('latin1', start, bytes.indexOf('\r\n', start, 'latin1')))
      : this.faultInBeginning(bytes);
    if (fault !== undefined) this.#finish(() => this.onFault(fault, bytes));
  }
}
