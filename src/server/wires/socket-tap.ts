/**
 * Owns how bytes leave a `net.Socket` without its stream: with the public option `onread` they are read into the one buffer that
 * all wires share. Refuses to know what becomes of them.
 */
import type { OnReadOpts } from 'node:net';
import { READ_BUFFER, viewOf } from './read-buffer.js';

/** Who is given what was read. */
export interface TapReader {
  /** The bytes are gone when this returns. Answers whether more is wanted. */
  onTapped(bytes: Buffer): boolean;
}

/** Given to a socket when it is made, and to its wire when there is one. */
export class SocketTap implements TapReader {
  /** The option for the socket. */
  readonly onread: OnReadOpts;
  #reader: TapReader = this;
  #early: Buffer[] | undefined;

  constructor() {
    this.onread = { buffer: READ_BUFFER, callback: (count) => this.#reader.onTapped(viewOf(count)) };
  }

  /** From now on that one is given what is read. Answers what came before: TLS brings bytes along with the end of its handshake. */
  connect(reader: TapReader): readonly Buffer[] {
    this.#reader = reader;
    const early = this.#early ?? [];
    this.#early = undefined;
    return early;
  }

  onTapped(bytes: Buffer): boolean {
    this.#early ??= [];
    this.#early.push(Buffer.from(bytes));
    return false;
  }
}
