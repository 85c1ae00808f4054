/**
 * Owns one end of a WebSocket in a soak, client or target, on the frame reader and writer of `ws`: it answers pings and
 * Close frames as it should. Refuses to know what the messages mean.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { PlannedMessage } from './pattern.js';

interface Receiver {
  on(event: string, listener: (...values: never[]) => void): unknown;
  write(chunk: Buffer): boolean;
}

const { Receiver, Sender } = createRequire(import.meta.url)('ws') as {
  Receiver: new (options: { isServer: boolean }) => Receiver;
  Sender: { frame(data: Uint8Array, options: object): Buffer[] };
};

/** What an end is told. */
export interface WsEndEvents {
  onMessage(data: Buffer, binary: boolean): void;
  onClose(code: number): void;
  /** What came is not WebSocket. */
  onWrong(error: Error): void;
}

/** One end of a WebSocket, after the handshake. */
export class WsEnd {
  /** The code of the Close frame that came; 1005 for one without. */
  closeReceived: number | undefined;
  closeSent = false;
  readonly #socket: Socket;
  readonly #isClient: boolean;

  constructor(socket: Socket, role: 'client' | 'target', rest: Buffer, events: WsEndEvents) {
    this.#socket = socket;
    this.#isClient = role === 'client';
    const receiver = new Receiver({ isServer: !this.#isClient });
    receiver.on('message', (data: Buffer, binary: boolean) => events.onMessage(data, binary));
    receiver.on('ping', (data: Buffer) => this.#write(10, true, data));
    receiver.on('error', (error: Error) => events.onWrong(error));
    receiver.on('conclude', (code: number) => {
      this.closeReceived = code;
      if (!this.closeSent) this.close(code);
      // The server of a WebSocket ends TCP first.
      if (!this.#isClient) socket.end();
      events.onClose(code);
    });
    socket.on('data', (chunk) => receiver.write(chunk));
    if (rest.length > 0) receiver.write(rest);
  }

  /** Sends a message; false when the socket asks to wait. */
  send({ data, binary, frames }: PlannedMessage): boolean {
    const opcode = binary ? 2 : 1;
    const size = Math.ceil(data.length / frames);
    let more = true;
    for (let index = 0; index < frames; index += 1) {
      const part = data.subarray(index * size, (index + 1) * size);
      more = this.#write(index === 0 ? opcode : 0, index === frames - 1, part);
      if (index === 0 && frames > 1) more = this.#write(9, true, Buffer.from('between'));
    }
    return more;
  }

  close(code: number): void {
    if (this.closeSent) return;
    this.closeSent = true;
    this.#write(8, true, code === 1005 ? Buffer.alloc(0) : Buffer.from([code >> 8, code & 0xff]));
  }

  #write(opcode: number, fin: boolean, data: Buffer): boolean {
    if (!this.#socket.writable) return true;
    const mask = this.#isClient;
    const parts = Sender.frame(data, { opcode, fin, mask, readOnly: true, rsv1: false });
    this.#socket.cork();
    let more = true;
    for (const part of parts) more = this.#socket.write(part);
    this.#socket.uncork();
    return more;
  }
}
