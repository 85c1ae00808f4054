/** Owns the probes that ask one module at a time for what the case table leaves open. */
import { strict as assert } from 'node:assert';
import { isUtf8 } from 'node:buffer';
import { UTF8 } from '../conformance/cases/utf8.js';
import type { ProtocolModules } from './modules.js';

/** Masking against the definition of RFC 6455 section 5.3, at every alignment and position. */
export function masking({ applyMask }: ProtocolModules): void {
  for (const key of [0x12345678, 0xfedcba98, 0x80000001]) {
    for (const length of [0, 1, 2, 3, 4, 5, 8, 71, 72, 73, 74, 75, 76, 80, 85, 90, 131]) {
      for (let start = 0; start < 5; start += 1) {
        for (const offset of [0, 1, 2, 3, 2 ** 31 + 1, 2 ** 40 + 3]) {
          const bytes = Buffer.from(Array.from({ length: start + length + 9 }, (_, at) => (at * 31 + 7) & 0xff));
          const wanted = bytes.map((byte, at) => {
            if (at < start || at >= start + length) return byte;
            return byte ^ ((key >>> (24 - 8 * ((at - start + offset) % 4))) & 0xff);
          });
          applyMask(bytes, start, start + length, key, offset);
          assert.ok(bytes.equals(wanted), `key ${key}, ${length} bytes at ${start}, offset ${offset}`);
        }
      }
    }
  }
}

/** What may follow the beginning of a code point, so that one of them completes whatever can be completed. */
const ENDS = ['', '80', 'bf', '8080', '808080', 'a080', '908080'].map((end) => Buffer.from(end, 'hex'));

/** Bytes at both sides of every border that RFC 3629 section 4 draws. */
const LEADS = Buffer.from('007f80bfc0c1c2dfe0e1ecedeeeff0f1f3f4f5ff', 'hex');
const SECONDS = Buffer.from('41808f909fa0bfc3', 'hex');

/** Text is held back and refused at the first byte that cannot be right, however it is cut. */
export function text({ Utf8Stream }: ProtocolModules): void {
  const samples = [
    ...[...LEADS].flatMap((lead) => [...SECONDS].map((second) => Buffer.of(0x61, lead, second, 0x80, 0x80, 0x62))),
    ...UTF8.map(({ frames }) => Buffer.concat(frames.map(({ payload = '' }) => Buffer.from(payload as string)))),
  ];
  for (const bytes of samples) for (const size of [1, 2, 3, 4, bytes.length]) readText(Utf8Stream, bytes, size);
}

function readText(Utf8Stream: ProtocolModules['Utf8Stream'], bytes: Buffer, size: number): void {
  const stream = new Utf8Stream();
  let given = 0;
  let failed = false;
  for (let at = 0; at < bytes.length; at += size) {
    // In memory of its own, so that what shares it can be told from a copy.
    const chunk = Buffer.allocUnsafeSlow(Math.min(size, bytes.length - at));
    bytes.copy(chunk, 0, at);
    const whole = stream.push(chunk);
    const sofar = bytes.subarray(0, at + size);
    failed ||= !ENDS.some((end) => isUtf8(Buffer.concat([sofar, end])));
    if (failed) {
      assert.deepEqual([whole, stream.heldBytes, stream.end()], [null, 0, false]);
      continue;
    }
    assert.ok(whole !== null && isUtf8(whole));
    assert.ok(whole.equals(bytes.subarray(given, given + whole.length)));
    given += whole.length;
    assert.equal(stream.heldBytes, sofar.length - given);
    assert.equal(stream.end(), given === sofar.length);
    assert.equal(stream.end(), isUtf8(sofar));
    // What is held is a copy, since the chunk may be used again; what is given need not be one.
    if (at === 0 && whole.length > 0) assert.equal(whole.buffer, chunk.buffer);
    chunk.fill(0xee);
  }
}

/** Close payloads as they are written, and reasons as they are cut. */
export function closing({ encodeClosePayload, truncateReason, parseClosePayload }: ProtocolModules): void {
  assert.equal(encodeClosePayload(1005, 'unsaid').length, 0);
  for (const code of [1000, 1014, 3000, 4999] as const) {
    for (const reason of ['', 'x', 'because', '\u20ac'.repeat(41)]) {
      const payload = encodeClosePayload(code, reason);
      assert.equal(payload.toString('hex'), code.toString(16).padStart(4, '0') + Buffer.from(reason).toString('hex'));
      assert.deepEqual(parseClosePayload(payload), { code, reason });
    }
  }
  for (const code of [1006, 1015] as const) assert.throws(() => encodeClosePayload(code, ''), /Close code/);
  for (const character of ['x', '\u00e4', '\u20ac', '\u{1f30a}', '\ud800']) {
    const bytes = Buffer.byteLength(character);
    for (let count = 0; count < 130; count += 1) {
      for (const head of ['', 'a', 'ab']) {
        const fits = Math.min(count, Math.floor((123 - head.length) / bytes));
        assert.equal(truncateReason(head + character.repeat(count)), head + character.repeat(fits));
      }
    }
  }
}

/** Rules that are told in words, and those that a limit would hide. */
export function rules({ isControl, checkSecondByte, checkLongLength, checkFirstByte }: ProtocolModules): void {
  for (let opcode = 0; opcode < 16; opcode += 1) assert.equal(isControl(opcode), opcode >= 8);
  assert.match(checkSecondByte(0x05, 1, true)?.message ?? '', /^a client must mask/);
  assert.match(checkSecondByte(0x85, 1, false)?.message ?? '', /^a server must not mask/);
  assert.match(checkSecondByte(127, 9, false)?.message ?? '', /length field 127$/);
  assert.match(checkFirstByte(0xb1, false, false)?.message ?? '', /0xb1$/);
  assert.equal(checkLongLength(0x1f_ffff), null);
  assert.equal(checkLongLength(0x20_0000)?.code, 1009);
  assert.equal(checkLongLength(0x7fff_ffff)?.code, 1009);
  assert.equal(checkLongLength(0x8000_0000)?.code, 1002);
}
