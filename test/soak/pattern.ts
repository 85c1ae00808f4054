/**
 * Owns what is sent in a soak and how it is checked: each direction of each connection has bytes of its own, cut into
 * messages whose sizes both ends know. Every byte that arrives is compared. Refuses to send anything.
 */
import { Random } from '../fuzz/random.js';

// Printable, so that any part of it is text; of prime length, so that nothing repeats where buffers do.
const PERIOD = 65_521;
const TABLE = Buffer.alloc(PERIOD * 6);
const fill = new Random(0x50a4);
for (let at = 0; at < PERIOD; at += 1) TABLE[at] = fill.between(0x20, 0x7e);
for (let copy = 1; copy < 6; copy += 1) TABLE.copy(TABLE, copy * PERIOD, 0, PERIOD);

/** The largest message. */
export const MOST_BYTES = 4 * PERIOD;

/** One message of a direction. */
export interface PlannedMessage {
  readonly data: Buffer;
  readonly binary: boolean;
  /** In how many frames it is sent. */
  readonly frames: number;
}

/** The bytes of one direction of one connection. */
export class Pattern {
  readonly #start: number;
  readonly sizes: readonly number[];
  readonly #binary: readonly boolean[];
  readonly total: number;

  constructor(seed: number, bytes: number) {
    const random = new Random(seed);
    this.#start = random.below(PERIOD);
    const largest = random.pick([60, 2000, 20_000, MOST_BYTES]);
    const sizes: number[] = [];
    const binary: boolean[] = [];
    let total = 0;
    while (total < bytes && sizes.length < 400) {
      const size = random.between(1, largest);
      sizes.push(size);
      binary.push(random.onceIn(2));
      total += size;
    }
    this.sizes = sizes;
    this.#binary = binary;
    this.total = total;
  }

  /** A part of the stream; a view of memory that is shared, not to be changed. */
  at(offset: number, length: number): Buffer {
    const from = (this.#start + offset) % PERIOD;
    return TABLE.subarray(from, from + length);
  }

  message(index: number, offset: number): PlannedMessage {
    const data = this.at(offset, this.sizes[index]!);
    return { data, binary: this.#binary[index]!, frames: data.length % 7 === 3 ? 3 : 1 };
  }
}

/** Compares what arrives of a direction with what was to be sent. */
export class Verifier {
  offset = 0;
  messages = 0;
  readonly #pattern: Pattern;

  constructor(pattern: Pattern) {
    this.#pattern = pattern;
  }

  get complete(): boolean {
    return this.offset === this.#pattern.total;
  }

  /** Checks the next bytes; answers with what is wrong. */
  bytes(chunk: Buffer): string | undefined {
    if (this.offset + chunk.length > this.#pattern.total)
      return `more than the ${this.#pattern.total} bytes that were sent`;
    for (let at = 0; at < chunk.length; at += MOST_BYTES) {
      const part = chunk.subarray(at, at + MOST_BYTES);
      const right = this.#pattern.at(this.offset + at, part.length);
      if (part.equals(right)) continue;
      const wrong = part.findIndex((byte, index) => byte !== right[index]);
      return `byte ${this.offset + at + wrong} is ${part[wrong]}, not ${right[wrong]}`;
    }
    this.offset += chunk.length;
    return undefined;
  }

  /** Checks the next message with its borders and its type. */
  message(data: Buffer, binary: boolean): string | undefined {
    if (this.messages >= this.#pattern.sizes.length) return `more than the ${this.messages} messages that were sent`;
    const right = this.#pattern.message(this.messages, this.offset);
    if (data.length !== right.data.length) {
      return `message ${this.messages} has ${data.length} bytes, not ${right.data.length}`;
    }
    if (binary !== right.binary) return `message ${this.messages} changed its type`;
    this.messages += 1;
    return this.bytes(data);
  }
}
