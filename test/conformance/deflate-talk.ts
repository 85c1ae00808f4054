/** Owns a talk over compressed messages under agreed terms, which fails where either side breaks them (RFC 7692 section 7.2). */
import { expect } from 'vitest';
import type { FramePeer } from '../support/frame-peer.js';
import { Opcode } from '../support/frames.js';
import { Deflation, Inflation } from './deflate-codec.js';
import type { Terms } from './deflate-terms.js';

/** Text that repeats itself at distances inside and outside of every window. */
const TALK = talkOf(9);

function talkOf(seed: number): string {
  let state = seed;
  const words = Array.from({ length: 300 }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state.toString(36);
  });
  const near = words.slice(0, 20).join(' ');
  return [near, near, words.join(' '), near, words.join(' ')].join('|');
}

/** What is sent, in turn: a window that is kept shows in the second message, and one that is forgotten in the third. */
export const SAID = [TALK, TALK, 'Hello'];

/** What this side of a hop sends and reads, by the terms. */
export interface Codec {
  readonly out: Deflation;
  readonly in: Inflation;
}

/** The codec of the client's end of a hop, or of the server's. */
export function codecOf(
  end: 'client' | 'server',
  { serverForgets, clientForgets, serverBits, clientBits }: Terms,
): Codec {
  const clientWindow = typeof clientBits === 'number' ? clientBits : 15;
  const serverWindow = serverBits ?? 15;
  return end === 'client'
    ? { out: new Deflation(!clientForgets, clientWindow), in: new Inflation(!serverForgets, serverWindow) }
    : { out: new Deflation(!serverForgets, serverWindow), in: new Inflation(!clientForgets, clientWindow) };
}

/** Sends all of it compressed. */
export function say(peer: FramePeer, codec: Codec): void {
  for (const text of SAID) {
    peer.sendFrame({ opcode: Opcode.Text, rsv1: true, payload: codec.out.compress(Buffer.from(text)) });
  }
}

/** Reads all of it, and expects it compressed so that the agreed window can read it. */
export async function hear(peer: FramePeer, codec: Codec): Promise<void> {
  for (const text of SAID) {
    const message = await peer.nextMessage();
    expect(message.rsv1).toBe(true);
    expect(codec.in.inflate(message.data).toString()).toBe(text);
  }
}
