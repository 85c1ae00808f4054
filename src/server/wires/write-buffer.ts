/**
 * Owns the memory that bytes are copied to for a write by a stream, which may keep hold of them until the system has taken all.
 * Mostly it has when the write returns, and the same memory serves for the next one. Refuses to write.
 */

/** As much as one read takes, and what was gathered before it. */
const BYTES = 320 * 1024;
/** With TLS every write takes a turn of the event loop, so that several are in use; this many are kept for the next ones. */
const MOST_SPARE = 8;
/** A view costs as much as copying a small frame, so those of the common lengths are kept. */
const VIEWS = 4096;

/** Memory for writes. A part that the system has not taken yet is pinned: those that follow lie behind it. */
export class WriteBuffer {
  static #current: WriteBuffer | undefined;
  static readonly #spare: WriteBuffer[] = [];

  readonly #bytes: Buffer = Buffer.allocUnsafeSlow(BYTES);
  readonly #views: Array<Buffer | undefined> = new Array(VIEWS);
  /** What lies before it is pinned. */
  #base = 0;
  #length = 0;
  #pins = 0;
  #viewed = false;

  /** One that has room for so many bytes; undefined for more than any has. */
  static for(length: number): WriteBuffer | undefined {
    const current = WriteBuffer.#current;
    if (current !== undefined && current.#base + length <= BYTES) return current;
    if (length > BYTES) return undefined;
    WriteBuffer.#current = WriteBuffer.#spare.pop() ?? new WriteBuffer();
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
    this.#viewed = true;
    this.#views[length] ??= this.#bytes.subarray(base, base + length);
    return this.#views[length];
  }

  /** What was taken last, of that length, stays as it is until `unpin`. */
  pin(length: number): void {
    this.#base += length;
    this.#pins += 1;
    this.#forgetViews();
  }

  unpin(): void {
    this.#pins -= 1;
    if (this.#pins > 0) return;
    this.#base = 0;
    this.#forgetViews();
    if (this !== WriteBuffer.#current && WriteBuffer.#spare.length < MOST_SPARE) WriteBuffer.#spare.push(this);
  }

  /** They are views of what lies at the base. */
  #forgetViews(): void {
    if (this.#viewed) this.#views.fill(undefined);
    this.#viewed = false;
  }
}
