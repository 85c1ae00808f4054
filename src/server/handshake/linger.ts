/**
 * Owns the polite end of a socket whose last bytes are on their way: it stays open, unread, for a bounded time.
 * Refuses to write those bytes.
 */
import type { Socket } from 'node:net';

/** Milliseconds a client has to read a refusal and to close. */
export const LINGER_MS = 2000;

/**
 * Discards what the peer still sends until it closes, and destroys the socket when that takes longer than
 * {@link LINGER_MS}. Closing a socket with unread bytes makes the kernel send a reset, and a reset makes the peer throw
 * away what it has not read yet.
 */
export function lingerAndDestroy(socket: Socket, milliseconds: number = LINGER_MS): void {
  socket.on('error', ignore);
  socket.resume();
  // Not every socket here was created to close by itself once both directions have ended.
  const destroyWhenWritten = (): void => socket.destroySoon();
  socket.once('end', destroyWhenWritten);
  const timer = setTimeout(() => socket.destroy(), milliseconds).unref();
  socket.once('close', () => clearTimeout(timer));
}

function ignore(): void {}
