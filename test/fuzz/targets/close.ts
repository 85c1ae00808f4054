/** Owns the fuzzing of the payload of Close frames, with `ws` as the oracle. */
import { strict as assert } from 'node:assert';
import { encodeClosePayload, parseClosePayload } from '../../../src/protocol/close-frame.js';
import { isViolation } from '../../../src/protocol/violation.js';
import { encodeFrame, Opcode } from '../../support/frames.js';
import type { FuzzTarget } from '../fuzz.js';
import { wordsFrom } from '../mutate.js';
import { said, WsReader } from './ws-receiver.js';

function run(input: Buffer): string {
  const payload = input.subarray(0, 125);
  const ours = parseClosePayload(Buffer.from(payload));
  const theirs = new WsReader({ masked: false, maxMessageBytes: 0 });
  theirs.read(encodeFrame({ opcode: Opcode.Close, payload, masked: false }));
  if (isViolation(ours)) {
    assert.equal(theirs.code, ours.code, `refused with ${ours.code}: ${ours.message}`);
    return `${ours.error} ${payload.length > 1}`;
  }
  assert.equal(theirs.code, undefined, 'ws refuses it');
  assert.deepEqual(theirs.told, [said(`close ${ours.code}`, Buffer.from(ours.reason))]);
  assert.ok(encodeClosePayload(ours.code, ours.reason).equals(payload), 'it is written as it was read');
  return `${ours.code < 3000 ? ours.code : 'private'} ${ours.reason.length > 0}`;
}

/** Codes at the edges of what may be sent, and sequences at the edges of UTF-8. */
const WORDS = [
  ...[999, 1000, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 1016, 2999, 3000, 4999, 5000].map((code) =>
    Buffer.from([code >> 8, code & 0xff]),
  ),
  ...['c3a9', 'e282ac', 'f09f9880', 'efbbbf', 'eda080', 'c080', 'f4908080', 'e0809f'].map((hex) =>
    Buffer.from(hex, 'hex'),
  ),
];

export const close: FuzzTarget = {
  name: 'close',
  modules: ['protocol/close-frame', 'receivers/close-code'],
  mutators: [wordsFrom(WORDS)],
  run,
};
