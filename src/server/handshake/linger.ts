/**
 * Owns the polite end of a wire whose last bytes are on their way: it stays open for a bounded time, and what comes is thrown
 * away. Refuses to write those bytes.
 */
import type { Wire } from '../wires/wire.js';

/** Milliseconds a client has to read a refusal and to close. */
export const LINGER_MS = 2000;

/**
 * Ends our direction, discards what the peer still sends until it closes, and cuts the wire when that takes longer than
 * {@link LINGER_MS}. Closing a socket with unread bytes makes the kernel send a reset, and a reset makes the peer throw away
 * what it has not read yet.
 */
export function lingerAndTerminate(wire: Wire, milliseconds: number = LINGER_MS): void {
  const timer = setTimeout(() => wire.terminate(), milliseconds).unref();
  wire.attach({ onBytes() {}, onEnd() {}, onDrain() {}, onClosed: () => clearTimeout(timer) });
  wire.end();
}
