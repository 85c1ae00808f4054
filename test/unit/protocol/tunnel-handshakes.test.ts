/** Owns the handshakes with proxies: SOCKS 5 and CONNECT, however the answers are cut, and what is wrong with answers that are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpConnectHandshake } from '../../../src/protocol/http-connect.js';
import { Socks5Handshake } from '../../../src/protocol/socks5.js';
import type { TunnelHandshake, TunnelStep } from '../../../src/protocol/tunnel-handshake.js';

const ADA = { username: 'ada', password: 'länger' };

/** Everything that was sent, and what came of it. */
function talk(handshake: TunnelHandshake, pieces: readonly Uint8Array[]): { sent: Buffer; last: TunnelStep } {
  const sent = [handshake.begin()];
  let last: TunnelStep = { kind: 'more' };
  for (const [at, piece] of pieces.entries()) {
    last = handshake.take(Buffer.from(piece));
    if (last.kind === 'open') {
      last = { kind: 'open', rest: Buffer.concat([last.rest, ...pieces.slice(at + 1)]) };
      break;
    }
    if (last.kind === 'failed') break;
    if (last.send !== undefined) sent.push(last.send);
  }
  return { sent: Buffer.concat(sent), last };
}

/** Every way to cut bytes into pieces. */
const cut = (bytes: Buffer): fc.Arbitrary<Buffer[]> =>
  fc.array(fc.nat(bytes.length), { maxLength: 12 }).map((places) => {
    const ends = [...places, bytes.length].sort((a, b) => a - b);
    return ends.map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
  });

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('SOCKS 5', () => {
  it.each([
    ['192.0.2.7', '01 c0000207'],
    ['2001:db8::1', '04 20010db8000000000000000000000001'],
    ['::ffff:192.0.2.7', '04 00000000000000000000ffffc0000207'],
    ['host.example', `03 0c ${Buffer.from('host.example').toString('hex')}`],
  ])('asks for %s', (host, bytes) => {
    const { sent, last } = talk(new Socks5Handshake({ host, port: 5900 }), [
      hex('0500'),
      hex('05000001 00000000 0000 aabb'),
    ]);
    expect(sent).toEqual(hex(`0501 00 050100 ${bytes} 170c`));
    expect(last).toEqual({ kind: 'open', rest: hex('aabb') });
  });

  it('says who it is when it is asked to', () => {
    const { sent, last } = talk(new Socks5Handshake({ host: '192.0.2.7', port: 1, credentials: ADA }), [
      hex('0502'),
      hex('0100'),
      hex('05000001 00000000 0000'),
    ]);
    expect(sent).toEqual(
      hex(
        `05020002 01 03 ${Buffer.from('ada').toString('hex')} 07 ${Buffer.from('länger').toString('hex')} 050100 01c00002070001`,
      ),
    );
    expect(last).toEqual({ kind: 'open', rest: Buffer.alloc(0) });
  });

  it.each([
    ['the reply with a name', '0500 05000003 02 6162 0050 ffff', 'ffff'],
    ['the reply with an IPv6 address', '0500 05000004 00000000000000000000000000000000 0050', ''],
  ])('takes %s', (_, bytes, rest) => {
    const { last } = talk(new Socks5Handshake({ host: 'a', port: 1 }), bytes.split(' ').map(hex));
    expect(last).toEqual({ kind: 'open', rest: hex(rest) });
  });

  it('comes to the same however the answers are cut', () => {
    const answers = ['0502', '0100', '05000003 02 6162 0050 0102030405'].map((answer) => cut(hex(answer)));
    fc.assert(
      fc.property(fc.tuple(...answers), (pieces) => {
        const { sent, last } = talk(new Socks5Handshake({ host: 'a', port: 1, credentials: ADA }), pieces.flat());
        expect(last).toEqual({ kind: 'open', rest: hex('0102030405') });
        expect(sent.length).toBe(4 + 13 + 8);
      }),
    );
  });

  it.each([
    ['4800', undefined, 'it does not speak SOCKS 5, it began with 0x48'],
    ['05ff', undefined, 'it wants us to authenticate'],
    ['05ff', ADA, 'it takes no user name and password'],
    ['0502', undefined, 'it chose the method 0x02, which was not offered'],
    ['0501', ADA, 'it chose the method 0x01, which was not offered'],
    ['0502 0101', ADA, 'it did not take the user name and password'],
    ['0502 0500', ADA, 'its answer to the password begins with 0x05'],
    ['0500 0501', undefined, 'general failure'],
    ['0500 0502', undefined, 'not allowed by its rules'],
    ['050005', undefined, 'it answered before it was asked'],
    ['0502 010005', ADA, 'it answered before it was asked'],
    ['0500 0503', undefined, 'network unreachable'],
    ['0500 0504', undefined, 'host unreachable'],
    ['0500 05050001000000000000', undefined, 'connection refused'],
    ['0500 0506', undefined, 'TTL expired'],
    ['0500 0507', undefined, 'command not supported'],
    ['0500 0508', undefined, 'address type not supported'],
    ['0500 0577', undefined, 'it answered with the unknown reply 0x77'],
    ['0500 0400', undefined, 'its reply begins with 0x04'],
    ['0500 05000009', undefined, 'its reply has the address type 0x09'],
  ])('fails at %s', (bytes, credentials, reason) => {
    const { last } = talk(new Socks5Handshake({ host: 'a', port: 1, credentials }), bytes.split(' ').map(hex));
    expect(last).toEqual({ kind: 'failed', reason });
    expect(JSON.stringify(last)).not.toContain(ADA.password);
  });

  it('fails for a name that is longer than SOCKS can say', () => {
    const { last } = talk(new Socks5Handshake({ host: 'a'.repeat(256), port: 1 }), [hex('0500')]);
    expect(last).toEqual({ kind: 'failed', reason: 'the name of the target is too long for SOCKS' });
  });
});

describe('CONNECT', () => {
  const order = { host: '2001:db8::1', port: 443 };

  it('names the target, and says who asks', () => {
    expect(new HttpConnectHandshake(order).begin().toString()).toBe(
      'CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n',
    );
    const [, secret] = /^Proxy-Authorization: Basic (\S+)\r$/m.exec(
      new HttpConnectHandshake({ host: 'a.example', port: 1, credentials: ADA }).begin().toString(),
    )!;
    expect(Buffer.from(secret!, 'base64').toString()).toBe('ada:länger');
  });

  it('is open behind the head of any 2xx, whatever length that announces, and behind interim answers', () => {
    const answers =
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.0 204 Fine\r\nContent-Length: 3\r\n\r\nSSH-2.0';
    fc.assert(
      fc.property(cut(Buffer.from(answers)), (pieces) => {
        expect(talk(new HttpConnectHandshake(order), pieces).last).toEqual({
          kind: 'open',
          rest: Buffer.from('SSH-2.0'),
        });
      }),
    );
  });

  it.each([
    ['HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', 'it answered 407 Proxy Authentication Required'],
    ['HTTP/1.1 302 \r\nLocation: http://169.254.169.254/\r\n\r\n', 'it answered 302'],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 'it answered 101 Switching Protocols'],
    ['HTTP/2 200 OK\r\n\r\n', 'its answer is not HTTP: the status line is malformed: "HTTP/2 200 OK"'],
    ['HTTP/1.1 200 OK\n\n', 'its answer is not HTTP: a LF stands without its CR'],
    ['SSH-2.0-x\r\n', 'its answer is not HTTP: the status line is malformed: "SSH-2.0-x"'],
    ['\x05\x00', 'its answer is not HTTP: it begins with a byte 0x05'],
    [`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(17_000)}`, 'its answer has a head of more than 16384 bytes'],
  ])('fails at %j', (answer, reason) => {
    expect(talk(new HttpConnectHandshake(order), [Buffer.from(answer, 'latin1')]).last).toEqual({
      kind: 'failed',
      reason,
    });
  });
});
