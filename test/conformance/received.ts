/** Owns turning the frames that came into messages, and how both are written in the expected results. */
import { createHash } from 'node:crypto';
import { Opcode, type ReceivedFrame } from '../support/frames.js';
import type { Inflation } from './deflate-codec.js';

/** A message, or a ping or pong, that came. */
export interface Arrived {
  readonly kind: 'text' | 'binary' | 'ping' | 'pong';
  /** Inflated where it was compressed and can be. */
  readonly data: Buffer;
  /** Of its frames, as they came. */
  readonly sizes: readonly number[];
  /** False for a message whose last frame did not come. */
  readonly complete: boolean;
  readonly compressed?: boolean;
}

/** Puts messages together; pings and pongs stand where they came, a message where it ended. */
export function messagesOf(frames: readonly ReceivedFrame[], inflation: Inflation): Arrived[] {
  const all: Arrived[] = [];
  let parts: ReceivedFrame[] = [];
  for (const frame of frames) {
    if (frame.opcode === Opcode.Ping || frame.opcode === Opcode.Pong) {
      const kind = frame.opcode === Opcode.Ping ? 'ping' : 'pong';
      all.push({ kind, data: frame.payload, sizes: [frame.payload.length], complete: true });
      continue;
    }
    parts.push(frame);
    if (!frame.fin) continue;
    all.push(messageOf(parts, inflation, true));
    parts = [];
  }
  if (parts.length > 0) all.push(messageOf(parts, inflation, false));
  return all;
}

function messageOf(parts: readonly ReceivedFrame[], inflation: Inflation, complete: boolean): Arrived {
  const [{ opcode, rsv1 }] = parts as [ReceivedFrame];
  const payload = Buffer.concat(parts.map((part) => part.payload));
  return {
    kind: opcode === Opcode.Text ? 'text' : 'binary',
    data: rsv1 ? inflatedOrNot(payload, inflation) : payload,
    sizes: parts.map((part) => part.payload.length),
    complete,
    compressed: rsv1,
  };
}

function inflatedOrNot(payload: Buffer, inflation: Inflation): Buffer {
  try {
    return inflation.inflate(payload);
  } catch {
    return payload;
  }
}

/** Writes bytes down: in full when they are few, otherwise by their number and a hash. */
export function showBytes(data: Buffer): string {
  if (data.length > 40) return `${data.length} bytes ${createHash('sha256').update(data).digest('hex').slice(0, 12)}`;
  const ascii = data.toString('latin1');
  return /^[\x20-\x7e]*$/.test(ascii) ? JSON.stringify(ascii) : `hex ${data.toString('hex')}`;
}

/** Writes one arrival down, such as `text "ab" in 1+1`. */
export function showArrived({ kind, data, sizes, complete, compressed }: Arrived): string {
  // How long a compressed message is differs from one zlib to the next.
  const frames = sizes.length === 1 ? '' : ` in ${compressed ? 'fragments' : runs(sizes)}`;
  return `${compressed ? 'compressed ' : ''}${kind}${complete ? '' : ' begun'} ${showBytes(data)}${frames}`;
}

/** Joins what is the same in a row, such as `2x3+0` for 2, 2, 2 and 0. */
function runs(sizes: readonly number[]): string {
  const groups: { size: number; count: number }[] = [];
  for (const size of sizes) {
    const last = groups.at(-1);
    if (last?.size === size) last.count += 1;
    else groups.push({ size, count: 1 });
  }
  return groups.map(({ size, count }) => (count === 1 ? `${size}` : `${size}x${count}`)).join('+');
}
