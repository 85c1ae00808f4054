/** Owns the PROXY protocol header as it is written. That HAProxy reads it stands in test/e2e/haproxy.test.ts. */
import { describe, expect, it } from 'vitest';
import { encodeProxyHeader } from '../../../src/protocol/write-proxy-header.js';

const ends = { sourceAddress: '192.0.2.1', sourcePort: 4711, destinationAddress: '198.51.100.2', destinationPort: 443 };
const ends6 = { ...ends, sourceAddress: '2001:db8::1%eth0', destinationAddress: '::1' };
const SIGNATURE = '0d0a0d0a000d0a515549540a';

describe('version 1', () => {
  it.each([
    [ends, 'PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n'],
    [ends6, 'PROXY TCP6 2001:db8:0:0:0:0:0:1 0:0:0:0:0:0:0:1 4711 443\r\n'],
    [{ ...ends, destinationAddress: '::1' }, 'PROXY TCP6 0:0:0:0:0:ffff:c000:201 0:0:0:0:0:0:0:1 4711 443\r\n'],
    [{ ...ends, sourceAddress: '' }, 'PROXY UNKNOWN\r\n'],
    [{ ...ends, sourceAddress: '1.2.3.4\r\nEVIL' }, 'PROXY UNKNOWN\r\n'],
  ])('of %j', (connection, header) => expect(encodeProxyHeader('v1', connection).toString()).toBe(header));
});

describe('version 2', () => {
  it.each([
    [ends, '21 11 000c c0000201 c6336402 1267 01bb'],
    [ends6, `21 21 0024 20010db8${'0'.repeat(23)}1 ${'0'.repeat(31)}1 1267 01bb`],
    [{ ...ends, sourceAddress: '' }, '21 00 0000'],
  ])('of %j', (connection, header) =>
    expect(encodeProxyHeader('v2', connection).toString('hex')).toBe(`${SIGNATURE}${header.replaceAll(' ', '')}`),
  );

  it('tells what TLS says', () => {
    const tls = {
      version: 'TLSv1.3',
      cipher: 'AES',
      servername: 'a.example',
      alpnProtocol: 'h1',
      verified: true,
      commonName: 'ada',
    };
    const text = (word: string) => `00${word.length.toString(16).padStart(2, '0')}${Buffer.from(word).toString('hex')}`;
    const header = encodeProxyHeader('v2', { ...ends, tls }).toString('hex');
    const ssl = `03 00000000 21${text('TLSv1.3')} 23${text('AES')} 22${text('ada')}`.replaceAll(' ', '');
    expect(header.slice(2 * 28)).toBe(
      `01${text('h1')}02${text('a.example')}20${text('x'.repeat(ssl.length / 2)).slice(0, 4)}${ssl}`,
    );
    const without = { ...tls, servername: undefined, alpnProtocol: undefined, commonName: undefined, verified: false };
    expect(encodeProxyHeader('v2', { ...ends, tls: without }).toString('hex')).toContain('0100000001');
  });
});
