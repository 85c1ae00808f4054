/**
 * Owns how much of a turn of the event loop one wire may take for what it has read. libuv reads a socket up to 32 times in a row,
 * 256 KiB each: eight megabytes of the smallest frames are a million of them, and everybody else waits. Refuses to read.
 */
import { READ_BUFFER } from './read-buffer.js';

/** Milliseconds after which others come first. To stop and begin again costs a hundredth of it. */
const TURN = 0.5;

/** Milliseconds that one read may take before less is read at a time. */
const LONG_READ = 1;

/** What a wire reads at a time then: a sixteenth, so that it takes about a sixteenth of the time. */
export const SMALL_READ: Uint8Array = READ_BUFFER.subarray(0, READ_BUFFER.length / 16);

/** Whose descriptor was read last, and for how long since others were. A number, so that no wire is held. */
let reader = -1;
let spent = 0;

/** What follows from the time that a read took. */
export interface Share {
  /** Whether little is to be read at a time from now on. */
  readonly little: boolean;
  /** Whether others come first now. */
  readonly yields: boolean;
}

// One of each, as it is asked for every read.
const share = { little: false, yields: false };

/** Judges a read of at least as much as {@link SMALL_READ}; what is less keeps nobody waiting. The answer is good until the next call. */
export function shareOf(descriptor: number, milliseconds: number, little: boolean): Share {
  if (reader !== descriptor) spent = 0;
  reader = descriptor;
  spent += milliseconds;
  share.little = little ? milliseconds * 16 > LONG_READ : milliseconds > LONG_READ;
  share.yields = spent > TURN;
  if (share.yields) spent = 0;
  return share;
}
