/** Owns a buffer that small writes are copied into, to leave together. Refuses to write. */

/** Writes up to this size are gathered: one write of one buffer costs less than one of many. */
export const GATHER_BYTES = 8 * 1024;
/** And this many bytes of them at a time. */
const GATHERED_BYTES = 64 * 1024;

/** Those that nobody uses at the moment. There are as many as wires were corked at the same time: one or two. */
const spare: Gatherer[] = [];

/** Small writes that wait for the next system call. */
export class Gatherer {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(GATHERED_BYTES);
  length = 0;

  /** One that is empty. */
  static get(): Gatherer {
    return spare.pop() ?? new Gatherer();
  }

  /** Whether there is room for so many bytes. */
  takes(count: number): boolean {
    return this.length + count <= GATHERED_BYTES;
  }

  add(bytes: Buffer, start: number, end: number): void {
    bytes.copy(this.bytes, this.length, start, end);
    this.length += end - start;
  }

  /** What was in it is used or copied. */
  giveBack(): void {
    this.length = 0;
    spare.push(this);
  }
}
