/** Owns what is read as a PROXY protocol header, by examples from the specification and by what breaks it. */
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/protocol/crc32c.js';
import { beginsWithProxyHeader, readProxyHeader } from '../../../src/protocol/read-proxy-header.js';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const ENDPOINTS = {
  source: { address: '192.0.2.7', port: 56324 },
  destination: { address: '198.51.100.1', port: 443 },
};
const ENDPOINTS6 = {
  source: { address: '2001:db8::7', port: 1 },
  destination: { address: '::1', port: 65535 },
};

function v2(command: number, family: number, payload: Buffer, length = payload.length): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, payload]);
}

function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

const TCP4 = Buffer.from('c0000207c6336401dc0401bb', 'hex');

describe('version 1', () => {
  it('names both ends of a TCP connection', () => {
    const line = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n';
    expect(readProxyHeader(Buffer.from(`${line}GET /`))).toEqual({
      version: 1,
      endpoints: ENDPOINTS,
      length: line.length,
    });
    const other = 'PROXY TCP6 2001:DB8:0::7 0:0:0:0:0:0:0:1 1 65535\r\n';
    expect(readProxyHeader(Buffer.from(other))).toEqual({ version: 1, endpoints: ENDPOINTS6, length: other.length });
  });

  it('may be unknown, with anything behind that word', () => {
    for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::f 1 2 anything at all\r\n']) {
      expect(readProxyHeader(Buffer.from(line))).toEqual({ version: 1, endpoints: undefined, length: line.length });
    }
  });

  it('takes the longest line that the specification allows, and none that is longer', () => {
    const longest = `PROXY UNKNOWN ${'f'.repeat(91)}\r\n`;
    expect(longest).toHaveLength(107);
    expect(readProxyHeader(Buffer.from(longest))).toMatchObject({ length: 107 });
    expect(readProxyHeader(Buffer.from(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`))).toEqual({
      fault: expect.stringContaining('107'),
    });
    expect(readProxyHeader(Buffer.from(`PROXY UNKNOWN ${'f'.repeat(92)}`))).toHaveProperty('fault');
    expect(readProxyHeader(Buffer.from(`PROXY UNKNOWN ${'f'.repeat(91)}`))).toBeUndefined();
  });

  it.each([
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324 65536',
    'PROXY TCP4 192.0.2.7 198.51.100.1 056 443',
    'PROXY TCP4 192.0.2.7 198.51.100.1 -1 443',
    'PROXY TCP4 192.0.2.07 198.51.100.1 1 443',
    'PROXY TCP4 192.0.2 198.51.100.1 1 443',
    'PROXY TCP4 192.0.2.256 198.51.100.1 1 443',
    'PROXY TCP4 2001:db8::7 ::1 1 443',
    'PROXY TCP6 192.0.2.7 198.51.100.1 1 443',
    'PROXY TCP6 2001:db8::7::1 ::1 1 443',
    'PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 443',
    'PROXY TCP6 fe80::1%eth0 ::1 1 443',
    'PROXY TCP4  192.0.2.7 198.51.100.1 1 443',
    'PROXY TCP4 192.0.2.7 198.51.100.1 1 443 ',
    'PROXY TCP4 192.0.2.7 198.51.100.1 1',
    'PROXY UDP4 192.0.2.7 198.51.100.1 1 443',
    'PROXY UNKNOWNX',
    'PROXY ',
  ])('does not take %j', (line) => {
    expect(readProxyHeader(Buffer.from(`${line}\r\n`))).toEqual({ fault: expect.stringContaining('malformed') });
  });
});

describe('version 2', () => {
  it('names both ends of a TCP connection', () => {
    const header = v2(0x21, 0x11, TCP4);
    expect(readProxyHeader(Buffer.concat([header, Buffer.from('rest')]))).toEqual({
      version: 2,
      endpoints: ENDPOINTS,
      length: 28,
    });
    const both = '20010db800000000000000000000000700000000000000000000000000000001';
    expect(readProxyHeader(v2(0x21, 0x21, Buffer.from(`${both}0001ffff`, 'hex')))).toMatchObject({
      endpoints: ENDPOINTS6,
      length: 52,
    });
  });

  it('shows an IPv4 address in IPv6 clothes as what it is', () => {
    const mapped = '00000000000000000000ffffc0000207';
    const header = v2(0x21, 0x21, Buffer.from(`${mapped}${mapped}00010002`, 'hex'));
    expect(readProxyHeader(header)).toMatchObject({ endpoints: { source: { address: '192.0.2.7', port: 1 } } });
  });

  it.each<[string, number, number, Buffer]>([
    ['LOCAL', 0x20, 0x00, Buffer.alloc(0)],
    ['LOCAL with a family that does not exist', 0x20, 0xff, Buffer.from('junk')],
    ['LOCAL with addresses', 0x20, 0x11, TCP4],
    ['a family that is not specified', 0x21, 0x00, Buffer.alloc(0)],
    ['UDP', 0x21, 0x12, TCP4],
    ['a Unix socket', 0x21, 0x31, Buffer.alloc(216)],
  ])('says nothing about the ends with %s', (_what, command, family, payload) => {
    expect(readProxyHeader(v2(command, family, payload))).toEqual({
      version: 2,
      endpoints: undefined,
      length: 16 + payload.length,
    });
  });

  it.each<[string, Buffer]>([
    ['version 1', v2(0x11, 0x11, TCP4)],
    ['version 3', v2(0x31, 0x11, TCP4)],
    ['a command that does not exist', v2(0x22, 0x11, TCP4)],
    ['a family that does not exist', v2(0x21, 0x41, TCP4)],
    ['a transport that does not exist', v2(0x21, 0x13, TCP4)],
    ['addresses that are cut short', v2(0x21, 0x11, TCP4.subarray(1))],
    ['an extension that is cut off', v2(0x21, 0x11, Buffer.concat([TCP4, Buffer.from([4, 0])]))],
    ['an extension that is longer than the header', v2(0x21, 0x11, Buffer.concat([TCP4, Buffer.from([4, 0, 9, 1])]))],
    ['a length beyond any reason', v2(0x21, 0x11, TCP4, 0xffff)],
  ])('does not take %s', (_what, header) => {
    expect(readProxyHeader(header)).toHaveProperty('fault');
  });

  it('skips extensions, and checks the one that is a checksum', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    const noise = [tlv(0x04, Buffer.alloc(3)), tlv(0xe0, Buffer.alloc(0)), tlv(0x20, Buffer.from('whatever'))];
    const header = v2(0x21, 0x11, Buffer.concat([TCP4, ...noise, tlv(0x03, Buffer.alloc(4))]));
    const wrong = Buffer.from(header);
    header.writeUInt32BE(crc32c(header), header.length - 4);
    expect(readProxyHeader(header)).toEqual({ version: 2, endpoints: ENDPOINTS, length: header.length });
    expect(readProxyHeader(wrong)).toEqual({ fault: expect.stringContaining('checksum') });
    const odd = v2(0x21, 0x11, Buffer.concat([TCP4, tlv(0x03, Buffer.alloc(3))]));
    expect(readProxyHeader(odd)).toEqual({ fault: expect.stringContaining('checksum') });
  });
});

describe('the beginning of a connection', () => {
  it('is told from a header as soon as one byte differs', () => {
    expect(beginsWithProxyHeader(Buffer.from(''))).toBeUndefined();
    expect(beginsWithProxyHeader(Buffer.from('P'))).toBeUndefined();
    expect(beginsWithProxyHeader(Buffer.from('PO'))).toBe(false);
    expect(beginsWithProxyHeader(Buffer.from('GET'))).toBe(false);
    expect(beginsWithProxyHeader(Buffer.from('PROXY '))).toBe(true);
    expect(beginsWithProxyHeader(SIGNATURE.subarray(0, 11))).toBeUndefined();
    expect(beginsWithProxyHeader(SIGNATURE)).toBe(true);
    expect(beginsWithProxyHeader(Buffer.from('\r\n\r\nG'))).toBe(false);
    expect(readProxyHeader(Buffer.from('GET / HTTP/1.1\r\n'))).toEqual({ fault: expect.stringContaining('begin') });
  });
});
