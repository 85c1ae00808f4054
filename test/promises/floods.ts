/** Owns floods: messages sent as fast as they are taken, and read back one by one. Refuses to judge how many were taken. */
import { randomBytes } from 'node:crypto';
import { type FramePeer, Opcode, type RawClient } from '../support/raw-client.js';
import type { TcpConnection } from '../support/tcp-peer.js';
import type { Pair, TargetEnd } from './setups.js';

/** The size of every message of a flood. */
export const MESSAGE_BYTES = 64 * 1024;

const PAYLOADS = Array.from({ length: 8 }, () => randomBytes(MESSAGE_BYTES));

/** Floods one way through a server. What is sent repeats after a while, so that nothing is kept to compare it with. */
export class Flood {
  /** How many messages the sender's socket took. */
  accepted = 0;
  readonly #connection: TcpConnection;
  readonly #messages: readonly Buffer[];
  #stopped = false;

  /** @param peer the sender when it speaks WebSocket. */
  constructor(connection: TcpConnection, peer: FramePeer | undefined) {
    this.#connection = connection;
    this.#messages = PAYLOADS.map((payload) => peer?.encode({ opcode: Opcode.Binary, payload }) ?? payload);
  }

  static fromClient(client: RawClient): Flood {
    return new Flood(client.connection, client);
  }

  static fromTarget(target: TargetEnd): Flood {
    return new Flood(target.connection, target.ws);
  }

  /** Sends that many messages, waiting whenever the socket is full; fewer when it is stopped or the connection breaks. */
  async send(messages: number): Promise<void> {
    for (const end = this.accepted + messages; this.accepted < end && !this.#stopped; ) {
      const more = this.#connection.write(this.#messages[this.accepted % this.#messages.length]!);
      this.accepted += 1;
      if (!more) await this.#connection.drained().catch(() => this.stop());
    }
  }

  /** Begins no further message. */
  stop(): void {
    this.#stopped = true;
  }
}

/** Tells whether the message with this index of a flood, or the bytes of several from this index on, came intact. */
export function isIntact(bytes: Buffer, from: number): boolean {
  for (let at = 0, index = from; at < bytes.length; at += MESSAGE_BYTES, index += 1) {
    if (!bytes.subarray(at, at + MESSAGE_BYTES).equals(PAYLOADS[index % PAYLOADS.length]!)) return false;
  }
  return true;
}

/** Reads messages of a flood; answers with the index of the first one that is damaged, or with -1. */
export async function readFlood(
  read: (bytes: number) => Promise<Buffer>,
  from: number,
  messages: number,
): Promise<number> {
  let rest = Buffer.alloc(0);
  for (let index = from; index < from + messages; index += 1) {
    // Bytes of a TCP target are framed as they come: what is read may reach into the next message.
    while (rest.length < MESSAGE_BYTES) rest = Buffer.concat([rest, await read(MESSAGE_BYTES - rest.length)]);
    if (!isIntact(rest.subarray(0, MESSAGE_BYTES), index)) return index;
    rest = rest.subarray(MESSAGE_BYTES);
  }
  return -1;
}

/** Something small there and back, through the whole server. */
export async function roundTrip({ client, target }: Pair, read: (bytes: number) => Promise<Buffer>): Promise<void> {
  client.sendBinary(Buffer.from('there'));
  await target.read(5);
  target.send(Buffer.from('back!'));
  await read(5);
}

/** Resolves when a number has stayed the same during many round trips of somebody else, who is therefore well. */
export async function standstill(number: () => number, neighbourTrip: () => Promise<void>): Promise<void> {
  for (let same = 0, last = number(); same < 100; ) {
    await neighbourTrip();
    same = number() === last ? same + 1 : 0;
    last = number();
  }
}
