/** Owns how an input becomes another one: changes of bytes, of numbers, of words and of whole parts. Refuses to judge the result. */
import type { Random } from './random.js';

/** Makes a new input of one; `other` is another input of the corpus. */
export type Mutator = (input: Buffer, random: Random, other: Buffer) => Buffer;

/** The longest input that is made; longer ones find little more and cost a lot. */
const MOST_BYTES = 4096;

const INTERESTING = [
  0, 1, 2, 7, 8, 9, 10, 13, 32, 0x3a, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x88, 0xc0, 0xc1, 0xed, 0xfe, 0xff,
];
const INTERESTING_WIDE = [0, 1, 125, 126, 127, 128, 255, 256, 1000, 1005, 1006, 4999, 0x7fff, 0x8000, 0xfffe, 0xffff];

const BYTES: readonly Mutator[] = [
  function flipsABit(input, random) {
    return changed(input, random.below(input.length), (byte) => byte ^ (1 << random.below(8)));
  },
  function setsAByte(input, random) {
    return changed(input, random.below(input.length), () => random.below(256));
  },
  function setsAnInterestingByte(input, random) {
    return changed(input, random.below(input.length), () => random.pick(INTERESTING));
  },
  function addsALittle(input, random) {
    return changed(input, random.below(input.length), (byte) => byte + random.between(-4, 4));
  },
  function setsAnInterestingNumber(input, random) {
    if (input.length < 2) return input;
    const copy = Buffer.from(input);
    copy.writeUInt16BE(random.pick(INTERESTING_WIDE), random.below(input.length - 1));
    return copy;
  },
  function inserts(input, random) {
    return spliced(input, random.below(input.length + 1), 0, random.bytes(random.between(1, 8)));
  },
  function repeatsAByte(input, random) {
    const count = random.pick([2, 4, 16, 126, 300]);
    return spliced(input, random.below(input.length + 1), 0, Buffer.alloc(count, random.pick(INTERESTING)));
  },
  function deletes(input, random) {
    return spliced(input, random.below(input.length), random.between(1, 1 + (input.length >> 2)), NOTHING);
  },
  function cutsOff(input, random) {
    return input.subarray(0, random.below(input.length + 1));
  },
  function duplicates(input, random) {
    const part = partOf(input, random);
    return spliced(input, random.below(input.length + 1), 0, part);
  },
  function moves(input, random) {
    const at = random.below(input.length);
    const part = input.subarray(at, at + random.between(1, 16));
    const rest = spliced(input, at, part.length, NOTHING);
    return spliced(rest, random.below(rest.length + 1), 0, part);
  },
  function putsAPartOfAnotherIn(input, random, other) {
    return spliced(input, random.below(input.length + 1), random.below(8), partOf(other, random));
  },
  function goesOnAsAnother(input, random, other) {
    return Buffer.concat([
      input.subarray(0, random.below(input.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]);
  },
];

const NOTHING = Buffer.alloc(0);

/** A mutator that puts in one of these words, or writes it over what is there. */
export function wordsFrom(words: readonly (string | Uint8Array)[]): Mutator {
  return function putsAWordIn(input, random) {
    const word = random.pick(words);
    const bytes = typeof word === 'string' ? Buffer.from(word, 'latin1') : word;
    return spliced(input, random.below(input.length + 1), random.onceIn(2) ? bytes.length : 0, bytes);
  };
}

/** Mutators that work on the pieces between separators, such as lines, as a whole. */
export function partsBetween(separator: string): readonly Mutator[] {
  const onParts = (change: (parts: string[], random: Random, others: string[]) => void): Mutator =>
    function changesParts(input, random, other) {
      const parts = input.toString('latin1').split(separator);
      change(parts, random, other.toString('latin1').split(separator));
      return Buffer.from(parts.join(separator), 'latin1');
    };
  return [
    onParts((parts, random) => parts.splice(random.below(parts.length), 1)),
    onParts((parts, random) => parts.splice(random.below(parts.length), 0, random.pick(parts))),
    onParts((parts, random, others) => parts.splice(random.below(parts.length), random.below(2), random.pick(others))),
    onParts((parts, random) => {
      const [part = ''] = parts.splice(random.below(parts.length), 1);
      parts.splice(random.below(parts.length + 1), 0, part);
    }),
  ];
}

/** Changes an input a few times, by the general mutators and those of the format. */
export function mutated(input: Buffer, random: Random, other: Buffer, own: readonly Mutator[] = []): Buffer {
  let result = input;
  for (let count = 1 << random.below(4); count > 0; count -= 1) {
    const mutators = own.length > 0 && random.onceIn(2) ? own : BYTES;
    result = random.pick(mutators)(result, random, other);
  }
  return Buffer.from(result.subarray(0, MOST_BYTES));
}

function changed(input: Buffer, at: number, change: (byte: number) => number): Buffer {
  if (input.length === 0) return input;
  const copy = Buffer.from(input);
  copy[at] = change(copy[at]!) & 0xff;
  return copy;
}

function spliced(input: Buffer, at: number, remove: number, put: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, at), put, input.subarray(at + remove)]);
}

function partOf(input: Buffer, random: Random): Buffer {
  const at = random.below(input.length);
  return input.subarray(at, at + random.between(1, Math.max(1, input.length - at)));
}
