import { describe, expect, it } from 'vitest';
import { encodeClosePayload, parseClosePayload, truncateReason } from '../../../src/protocol/close-frame.js';
import type { CloseStatus } from '../../../src/receivers/close-code.js';

describe('parseClosePayload', () => {
  it('reads an empty payload as a Close without a code', () => {
    expect(parseClosePayload(Buffer.alloc(0))).toEqual({ code: 1005, reason: '' });
  });

  it('reads a code without a reason, and with one', () => {
    expect(parseClosePayload(Buffer.from('03e8', 'hex'))).toEqual({ code: 1000, reason: '' });
    expect(parseClosePayload(Buffer.from('0fa0e282ac', 'hex'))).toEqual({ code: 4000, reason: '€' });
  });

  it('keeps a byte order mark at the start of a reason', () => {
    expect(parseClosePayload(Buffer.from('03e8efbbbf61', 'hex'))).toEqual({ code: 1000, reason: '\ufeffa' });
  });

  it('refuses half a code', () => {
    expect(parseClosePayload(Buffer.from('03', 'hex'))).toMatchObject({ code: 1002, error: 'PROTOCOL_ERROR' });
  });

  it('refuses a code that must not be sent, and names it', () => {
    expect(parseClosePayload(Buffer.from('03ee', 'hex'))).toMatchObject({
      code: 1002,
      error: 'PROTOCOL_ERROR',
      message: expect.stringContaining('1006'),
    });
  });

  it('refuses a reason that is not UTF-8', () => {
    expect(parseClosePayload(Buffer.from('03e8c328', 'hex'))).toMatchObject({ code: 1007, error: 'INVALID_UTF8' });
  });
});

describe('encodeClosePayload', () => {
  it('writes the code in network order, then the reason', () => {
    expect(encodeClosePayload(1001, 'bye').toString('hex')).toBe('03e9627965');
  });

  it('writes 1005 as no payload at all, whatever the reason', () => {
    expect(encodeClosePayload(1005, 'lost').length).toBe(0);
  });

  it.each([1006, 1015, 1004, 999, 5000, 1000.5])('throws for %d, which cannot be sent', (code) => {
    expect(() => encodeClosePayload(code as CloseStatus, '')).toThrow(
      expect.objectContaining({ code: 'INVALID_CLOSE_CODE', message: expect.stringContaining(String(code)) }),
    );
  });

  it('never makes more than a control frame holds', () => {
    expect(encodeClosePayload(1000, '😀'.repeat(100)).length).toBe(2 + 120);
  });
});

describe('truncateReason', () => {
  it('keeps what fits as it is, to the last byte', () => {
    for (const reason of ['', 'a'.repeat(123), '€'.repeat(41)]) expect(truncateReason(reason)).toBe(reason);
  });

  it('cuts before the code point that does not fit', () => {
    expect(truncateReason('a'.repeat(124))).toBe('a'.repeat(123));
    expect(truncateReason(`${'a'.repeat(122)}é`)).toBe('a'.repeat(122));
    expect(truncateReason(`${'a'.repeat(120)}😀`)).toBe('a'.repeat(120));
    expect(truncateReason(`${'a'.repeat(119)}😀b`)).toBe(`${'a'.repeat(119)}😀`);
  });

  it('counts a lone surrogate as the three bytes it is written with', () => {
    expect(truncateReason('\ud800'.repeat(50))).toBe('\ud800'.repeat(41));
    expect(encodeClosePayload(1000, '\udc00'.repeat(50)).subarray(2).toString()).toBe('\ufffd'.repeat(41));
  });
});
