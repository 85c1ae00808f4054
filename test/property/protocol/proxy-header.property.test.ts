/** Owns what holds for every PROXY protocol header: it survives being written and read, and how it is cut means nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpAddress, ipAddressBytes } from '../../../src/protocol/ip-address.js';
import { readProxyHeader } from '../../../src/protocol/read-proxy-header.js';
import { encodeProxyHeader } from '../../../src/protocol/write-proxy-header.js';

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatIpAddress),
  // Addresses with many zeros, which are written in short.
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
    .map((b) => formatIpAddress(Uint8Array.from(b))),
);
const port = fc.nat({ max: 65_535 });
const text = fc.option(fc.string({ maxLength: 200 }), { nil: undefined });
const tls = fc.record({
  version: fc.string({ maxLength: 20 }),
  cipher: fc.string({ maxLength: 60 }),
  servername: text,
  alpnProtocol: text,
  verified: fc.boolean(),
  commonName: text,
});
const connection = fc.record({
  sourceAddress: address,
  sourcePort: port,
  destinationAddress: address,
  destinationPort: port,
  tls: fc.option(tls, { nil: undefined }),
});
const version = fc.constantFrom<1 | 2>(1, 2);

/** How an address is written in the end, whichever way it was given. */
function canonical(text: string): string {
  return formatIpAddress(ipAddressBytes(text)!);
}

describe('a PROXY protocol header', () => {
  it('is read as it was written, with whatever follows', () => {
    fc.assert(
      fc.property(version, connection, fc.uint8Array(), (which, given, rest) => {
        const header = encodeProxyHeader(`v${which}`, given);
        expect(readProxyHeader(Buffer.concat([header, rest]))).toEqual({
          version: which,
          endpoints: {
            source: { address: canonical(given.sourceAddress), port: given.sourcePort },
            destination: { address: canonical(given.destinationAddress), port: given.destinationPort },
          },
          length: header.length,
        });
      }),
    );
  });

  it('is waited for at each of its bytes, and never judged before', () => {
    fc.assert(
      fc.property(version, connection, (which, given) => {
        const header = encodeProxyHeader(`v${which}`, given);
        for (let end = 0; end < header.length; end += 1)
          expect(readProxyHeader(header.subarray(0, end))).toBeUndefined();
      }),
    );
  });

  it('is judged the same in the end however it is cut, and a fault stays one', () => {
    const start = fc.constantFrom(
      'PROXY ',
      'PROXY TCP4 ',
      '\r\n\r\n\0\r\nQUIT\n',
      '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c',
      '',
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (beginning, garbage) => {
        const bytes = Buffer.concat([Buffer.from(beginning, 'latin1'), garbage]);
        const whole = readProxyHeader(bytes);
        for (let end = 0; end < bytes.length; end += 1) {
          const part = readProxyHeader(bytes.subarray(0, end));
          if (part === undefined) continue;
          if ('fault' in part) expect(whole).toHaveProperty('fault');
          else expect(part).toEqual(whole);
        }
      }),
    );
  });
});
