/** Owns which protocol the first bytes of a connection are told to be, and after how many of them. */
import { describe, expect, it } from 'vitest';
import { classifyFirstBytes, mayBeTls } from '../../../src/protocol/first-bytes.js';
import { encodeProxyHeader } from '../../../src/protocol/write-proxy-header.js';

const NOBODY = { sourceAddress: '', sourcePort: 0, destinationAddress: '', destinationPort: 0 };

/** What bytes are told to be, and by how many of them. */
function told(text: string): [string | undefined, number] {
  const bytes = Buffer.from(text, 'latin1');
  for (let end = 0; end <= bytes.length; end += 1) {
    const kind = classifyFirstBytes(bytes.subarray(0, end));
    if (kind !== undefined) return [kind, end];
  }
  return [undefined, bytes.length];
}

describe('the first bytes of a connection', () => {
  it.each<[string, string, number]>([
    ['GET /chat HTTP/1.1\r\n', 'http', 4],
    ['\r\nGET / HTTP/1.1\r\n', 'http', 6],
    ['OPTIONS * HTTP/1.1\r\n', 'http', 8],
    ['CONNECT host:443 HTTP/1.1\r\n', 'http', 8],
    ['GET  / HTTP/1.1\r\n', 'http', 4],
    ['BREW /pot HTTP/1.1\r\n', 'http', 6],
    ['BREW http://host/pot HTTP/1.1\r\n', 'http', 12],
    ['BREW * HTTP/1.1\r\n', 'http', 7],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2', 16],
    ['PRI * HTTP/1.1\r\n', 'unknown', 12],
    ['\x16\x03\x01\x02\x00\x01', 'tls', 2],
    ['\x16\x00', 'unknown', 2],
    [encodeProxyHeader('v1', NOBODY).toString('latin1'), 'proxy', 6],
    [encodeProxyHeader('v2', NOBODY).toString('latin1'), 'proxy', 12],
    ['SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 'unknown', 23],
    ['SSH-2.0-dropbear\r\n', 'unknown', 17],
    // MQTT, PostgreSQL, Redis, SOCKS, AMQP, IMAP, SIP, RTSP, a line protocol.
    ['\x10\x0c\x00\x04MQTT', 'unknown', 1],
    ['\x00\x00\x00\x08\x04\xd2\x16\x2f', 'unknown', 1],
    ['*3\r\n$3\r\nSET', 'unknown', 3],
    ['\x05\x01\x00', 'unknown', 1],
    ['AMQP\x00\x00\x09\x01', 'unknown', 5],
    ['a1 LOGIN me', 'unknown', 4],
    ['REGISTER sip:host SIP/2.0', 'unknown', 10],
    ['DESCRIBE rtsp://host/ RTSP/1.0', 'unknown', 10],
    ['hello\n', 'unknown', 6],
    ['\n', 'unknown', 1],
    ['\rG', 'unknown', 2],
    [' GET / HTTP/1.1', 'unknown', 1],
    ['x'.repeat(40), 'unknown', 33],
  ])('%j are %s after %i', (text, kind, count) => {
    expect(told(text)).toEqual([kind, count]);
  });

  it.each([
    '',
    'G',
    'GET',
    'PRI * HTTP/2.0\r',
    '\x16',
    'PROXY',
    '\r\n\r\n',
    '\r\n\r\n\0\r\nQUIT',
    'SSH-2.0-x',
    'BREW h',
  ])('say nothing yet when they are %j', (text) => {
    expect(told(text)[0]).toBeUndefined();
  });

  it('are those of TLS or not by the first of them alone', () => {
    expect(mayBeTls(Buffer.from([0x16]))).toBe(true);
    expect(mayBeTls(Buffer.from([0x16, 3]))).toBe(true);
    expect(mayBeTls(Buffer.from([0x16, 2]))).toBe(false);
    expect(mayBeTls(Buffer.from('G'))).toBe(false);
  });
});
