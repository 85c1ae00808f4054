/**
 * Owns the rules that a frame header alone can break (RFC 6455 sections 5.1 to 5.5) and how each is worded. Refuses to
 * keep state: the scanner tells it what it needs to know about the frames before.
 */
import { MAX_CONTROL_PAYLOAD_BYTES, Opcode } from './frame.js';
import { type Violation, violationOf } from './violation.js';

/** Tells whether an opcode is one of a control frame, reserved ones included (RFC 6455 section 5.5). */
export function isControl(opcode: number): boolean {
  return opcode >= 8;
}

/** Checks the reserved bits, the opcode, and the order of fragments (RFC 6455 sections 5.2 and 5.4, RFC 7692 section 6). */
export function checkFirstByte(first: number, inMessage: boolean, compression: boolean): Violation | null {
  const opcode = first & 0x0f;
  if ((first & 0x30) !== 0) {
    return broken(
      `RSV2 and RSV3 must be 0, as no extension uses them (RFC 6455 section 5.2), in first byte ${hex(first)}`,
    );
  }
  if ((opcode > Opcode.Binary && opcode < Opcode.Close) || opcode > Opcode.Pong) {
    return broken(`opcode ${opcode} is reserved (RFC 6455 section 5.2)`);
  }
  if ((first & 0x40) !== 0) {
    if (!compression) {
      return broken(`RSV1 must be 0 without permessage-deflate (RFC 6455 section 5.2), in first byte ${hex(first)}`);
    }
    if (opcode !== Opcode.Text && opcode !== Opcode.Binary) {
      return broken(`RSV1 belongs on the first frame of a message only (RFC 7692 section 6), got opcode ${opcode}`);
    }
  }
  if (isControl(opcode)) {
    if ((first & 0x80) !== 0) return null;
    return broken(`a control frame must not be fragmented (RFC 6455 section 5.5), got opcode ${opcode}`);
  }
  if (opcode === Opcode.Continuation) {
    if (!inMessage) return broken('a continuation frame came outside a fragmented message (RFC 6455 section 5.4)');
  } else if (inMessage) {
    return broken(`a new message began inside a fragmented one (RFC 6455 section 5.4), with opcode ${opcode}`);
  }
  return null;
}

/** Checks the mask bit and the length of a control frame (RFC 6455 sections 5.1 and 5.5). */
export function checkSecondByte(second: number, opcode: number, masked: boolean): Violation | null {
  if (second >= 0x80 !== masked) {
    return broken(
      masked
        ? 'a client must mask every frame (RFC 6455 section 5.1)'
        : 'a server must not mask a frame (RFC 6455 section 5.1)',
    );
  }
  const length = second & 0x7f;
  if (isControl(opcode) && length > MAX_CONTROL_PAYLOAD_BYTES) {
    return broken(`a control frame holds at most 125 bytes (RFC 6455 section 5.5), got length field ${length}`);
  }
  return null;
}

/** Checks the upper half of a 64-bit length (RFC 6455 section 5.2); above 2^53 - 1 a number is not exact any more. */
export function checkLongLength(upper: number): Violation | null {
  if (upper >= 0x8000_0000) {
    return broken(`the top bit of a 64-bit length must be 0 (RFC 6455 section 5.2), got upper half ${hex(upper)}`);
  }
  if (upper > 0x1f_ffff) {
    return violationOf(
      'MESSAGE_TOO_BIG',
      `a frame of more than 2^53 - 1 bytes was announced, upper half ${hex(upper)}`,
    );
  }
  return null;
}

/** Words the refusal of a frame that is too large. */
export function frameTooBig(length: number, limit: number): Violation {
  return violationOf('MESSAGE_TOO_BIG', `a frame of ${length} bytes was announced, the limit is ${limit}`);
}

/** Words the refusal of a message whose frames are too large together. */
export function messageTooBig(before: number, length: number, limit: number): Violation {
  return violationOf(
    'MESSAGE_TOO_BIG',
    `a frame of ${length} bytes was announced after ${before} bytes of its message, the limit is ${limit}`,
  );
}

/** Words the refusal of a message of too many frames. */
export function tooManyFragments(limit: number): Violation {
  return violationOf('TOO_MANY_FRAGMENTS', `a message has more than ${limit} fragments`);
}

function broken(message: string): Violation {
  return violationOf('PROTOCOL_ERROR', message);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
