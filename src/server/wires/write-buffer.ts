/**
 * Owns the memory that bytes are copied to for a write by a stream, which may keep hold of them until the system has taken all.
 * Mostly it has when the write returns, and the same memory serves for the next one. Refuses to write.
 */

/** As much as one read takes, and what was gathered before it. */
const BYTES = 320 * 1024;
/** A view costs as much as copying a small frame, so those of the common lengths are kept. */
const VIEWS = 4096;

/** Memory for writes. A part that the system has not taken yet is pinned: those that follow lie behind it. */
export class WriteBuffer {
  static #current: WriteBuffer | undefined;

  readonly #bytes: Buffer = Buffer.allocUnsafeSlow(BYTES);
  readonly #views: Array<Buffer | undefined> = new Array(VIEWS);
  /** What lies before it is pinned. */
  #base = 0;
  #length = 0;
  #pins = 0;

  /** One that has room for so many bytes; undefined for more than any has. */
  static for(length: number): WriteBuffer | undefined {
    const current = WriteBuffer.#current;
    if (current !== undefined && current.#base + length <= BYTES) return current;
    if (length > BYTES) return undefined;
    WriteBuffer.#current = new WriteBuffer();
    return WriteBuffer.#current;
  }

  /** Copies bytes behind those that were added since the last `take`. */
  add(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#bytes.set(length === bytes.length ? bytes : bytes.subarray(start, end), this.#base + this.#length);
    this.#length += length;
  }

  /** What was added, until more is added or it is pinned. */
  take(): Buffer {
    const [base, length] = [this.#base, this.#length];
    this.#length = 0;
    if (length >= VIEWS) return this.#bytes.subarray(base, base + length);
    this.#views[length] ??= this.#bytes.subarray(base, base + length);
    return this.#views[length];
  }

  /** What was taken last, of that length, stays as it is until `unpin`. */
  pin(length: number): void {
    this.#base += length;
    this.#pins += 1;
    this.#views.fill(undefined);
  }

  unpin(): void {
    this.#pins -= 1;
    if (this.#pins > 0) return;
    this.#base = 0;
    this.#views.fill(undefined);
  }
}
