/**
 * Owns what a conformance case is: frames that one side sends after the handshake, and what the RFC says has to come of
 * them. Plain data: refuses to know who sends them and on which way they go.
 */
import { type FrameSpec, Opcode } from '../../support/frames.js';

/** A message as the other side has to get it. */
export interface Delivered {
  readonly kind: 'text' | 'binary';
  readonly data: Buffer;
}

/** What has to come of the frames of a case. */
export type Verdict =
  /** The messages arrive, the pings are answered, and the connection stands. */
  | { readonly kind: 'pass'; readonly messages: readonly Delivered[] }
  /** The connection is failed with that code; the messages that were complete before arrive. */
  | { readonly kind: 'fail'; readonly code: number; readonly messages: readonly Delivered[] }
  /** A Close frame that is right: it is answered with its code (1005 for none), after the messages before it. */
  | {
      readonly kind: 'close';
      readonly code: number;
      readonly reason: string;
      readonly messages: readonly Delivered[];
    };

/** Every deliberate deviation, with its heading in docs/reference/conformance.md. */
export const DEVIATIONS = {
  'overlong-lengths': 'A length in more bytes than it needs is accepted',
  'unread-payloads': 'The paths frames and stream do not check text',
  'compressed-payloads': 'The path frames does not inflate',
} as const;

/** Where we deliberately do otherwise than the verdict. */
export interface Deviation {
  /**
   * `everywhere`; `unread`: on the paths `frames` and `stream`, which do not look into payloads; `compressed`: on `frames`
   * with permessage-deflate, where the target inflates and not we.
   */
  readonly on: 'everywhere' | 'unread' | 'compressed';
  /** What comes of the frames instead. */
  readonly verdict: Verdict;
  readonly reason: keyof typeof DEVIATIONS;
}

/** The options a case needs. */
export type SetupName = 'plain' | 'limits' | 'deflate' | 'takeover' | 'deflate limits';

/** One case. */
export interface ConformanceCase {
  /** The RFC, its section and a name: `6455-5.4/continuation-first`. It never changes, as the expected results go by it. */
  readonly id: string;
  /** A sentence. */
  readonly title: string;
  readonly frames: readonly FrameSpec[];
  /** What the RFC says. */
  readonly verdict: Verdict;
  readonly deviation?: Deviation;
  /** Default `plain`. */
  readonly setup?: SetupName;
  /** Who sends the frames; default both. */
  readonly only?: 'client' | 'target';
  /** The bytes are sent in pieces of this size. Default all at once. */
  readonly pieces?: number;
}

export const DATA = [Opcode.Text, Opcode.Binary] as const;
export const CONTROLS = [Opcode.Close, Opcode.Ping, Opcode.Pong] as const;

/** The name of an opcode in lower case, for ids and titles. */
export function nameOf(opcode: number): string {
  return (Object.entries(Opcode).find(([, code]) => code === opcode)?.[0] ?? `opcode ${opcode}`).toLowerCase();
}

export function text(data: string | Uint8Array): Delivered {
  return { kind: 'text', data: Buffer.from(data as string) };
}

export function binary(data: string | Uint8Array): Delivered {
  return { kind: 'binary', data: Buffer.from(data as string) };
}

/** The message that a data frame with that opcode carries. */
export function message(opcode: number, data: string | Uint8Array): Delivered {
  return opcode === Opcode.Text ? text(data) : binary(data);
}

export function pass(...messages: readonly Delivered[]): Verdict {
  return { kind: 'pass', messages };
}

export function fail(code: number, ...messages: readonly Delivered[]): Verdict {
  return { kind: 'fail', code, messages };
}

export function closes(code: number, reason = '', ...messages: readonly Delivered[]): Verdict {
  return { kind: 'close', code, reason, messages };
}

/** A fragmented message, a frame for each part. */
export function fragments(opcode: number, parts: readonly (string | Uint8Array)[]): FrameSpec[] {
  return parts.map((payload, index) => ({
    opcode: index === 0 ? opcode : Opcode.Continuation,
    fin: index === parts.length - 1,
    payload,
  }));
}

/** Every byte of a message as a fragment of its own. */
export function byteFragments(opcode: number, bytes: Uint8Array): FrameSpec[] {
  return fragments(
    opcode,
    [...bytes].map((byte) => Buffer.of(byte)),
  );
}
