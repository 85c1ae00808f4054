/**
 * Owns how much of a turn of the event loop one wire may take for what it has read. libuv reads a socket up to 32 times in a row,
 * 256 KiB each: eight megabytes of the smallest frames are a million of them, and everybody else waits. Refuses to read.
 */
import { READ_BUFFER } from './read-buffer.js';

/** Milliseconds that one read may keep the loop busy. A large message is passed on in a tenth of it. */
const SLICE = 0.3;

/** What a wire reads at a time once one read took longer: a sixteenth, so that it takes about a sixteenth of the time. */
export const SMALL_READ: Uint8Array = READ_BUFFER.subarray(0, READ_BUFFER.length / 16);

/** What follows from the time that a read took. */
export type Share = 'go on' | 'less' | 'more' | 'yield';

/** Judges a read of at least as much as {@link SMALL_READ}; what is less keeps nobody waiting. */
export function shareOf(milliseconds: number, small: boolean): Share {
  if (!small) return milliseconds > SLICE ? 'less' : 'go on';
  return milliseconds > SLICE / 16 ? 'yield' : 'more';
}
