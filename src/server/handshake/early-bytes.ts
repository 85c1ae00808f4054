/**
 * Owns a client's socket between its handshake and the answer: what the client sends early is held, and its leaving is
 * noticed. Refuses to answer.
 */
import type { Socket } from 'node:net';

/** A socket that is being watched. */
export interface EarlyBytes {
  /** Stops watching, pauses the socket, and returns every byte that came after the request head. May be called once. */
  release(): Buffer;
}

/**
 * Reads a socket until it is released, because a paused one does not show that its client has left, and a dial for
 * nobody would go on. Beyond the bound it is paused: what comes then stays with the kernel, and the client's leaving
 * is seen after the answer only.
 *
 * @param head what came in one piece with the request head.
 * @param onGone called at most once, when the client ends or resets the connection; not after the release.
 */
export function holdEarlyBytes(socket: Socket, head: Buffer, maxBytes: number, onGone: () => void): EarlyBytes {
  const chunks = [head];
  let size = head.length;
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) socket.pause();
  };
  const stop = (): void => {
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', onEnd);
  };
  const onEnd = (): void => {
    stop();
    onGone();
  };
  socket.on('data', onData);
  socket.once('end', onEnd);
  socket.once('close', onEnd);
  if (size <= maxBytes) socket.resume();
  return {
    release() {
      stop();
      socket.pause();
      return chunks.length === 1 ? head : Buffer.concat(chunks, size);
    },
  };
}
