import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeClosePayload, parseClosePayload, truncateReason } from '../../../src/protocol/close-frame.js';
import type { CloseCode } from '../../../src/receivers/close-code.js';

/** RFC 6455 section 7.4 and the IANA registry, written down apart from the code under test. */
const sendable = new Set([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]);
for (let code = 3000; code < 5000; code += 1) sendable.add(code);

/** Any string: whole code points of one to four bytes, and lone surrogates. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200, size: 'max' }),
  fc
    .array(fc.constantFrom('a', 'é', '€', '😀', '\ud83d', '\ude00'), { maxLength: 140, size: 'max' })
    .map((all) => all.join('')),
);

describe('close payloads', () => {
  it('come back as they were for each code that may be sent', () => {
    for (const code of sendable) {
      const payload = encodeClosePayload(code as CloseCode, 'né€😀');
      expect(parseClosePayload(payload)).toEqual({ code, reason: 'né€😀' });
    }
  });

  it('are refused with every other code from 0 to 65535', () => {
    const payload = Buffer.from('??bye');
    const refused = { code: 1002, error: 'PROTOCOL_ERROR' };
    for (let code = 0; code <= 0xffff; code += 1) {
      if (sendable.has(code)) continue;
      payload.writeUInt16BE(code);
      const parsed = parseClosePayload(payload);
      if (!('error' in parsed) || parsed.code !== 1002) expect(parsed, `code ${code}`).toMatchObject(refused);
    }
  });

  it('carry any reason in at most 125 bytes, and peers can read it', () => {
    fc.assert(
      fc.property(anyText, (reason) => {
        const payload = encodeClosePayload(1000, reason);
        expect(payload.length).toBeLessThanOrEqual(125);
        expect(parseClosePayload(payload)).toEqual({
          code: 1000,
          reason: Buffer.from(truncateReason(reason)).toString(),
        });
      }),
    );
  });

  it('are read or refused, never thrown about, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 125 }), (bytes) => {
        const parsed = parseClosePayload(Buffer.from(bytes));
        if (!('error' in parsed) && parsed.code !== 1005) {
          expect(encodeClosePayload(parsed.code, parsed.reason).equals(bytes)).toBe(true);
        }
      }),
      { examples: [[Buffer.from('03e8e282ac', 'hex')]] },
    );
  });
});

describe('truncateReason', () => {
  it('returns the longest beginning that fits and ends between code points', () => {
    fc.assert(
      fc.property(anyText, (reason) => {
        const cut = truncateReason(reason);
        expect(reason.startsWith(cut)).toBe(true);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(123);
        const next = [...reason.slice(cut.length)][0];
        if (next !== undefined) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(123);
        expect([...cut].length + [...reason.slice(cut.length)].length).toBe([...reason].length);
      }),
      { numRuns: 500 },
    );
  });
});
