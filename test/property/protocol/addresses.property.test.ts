/**
 * Owns that addresses, ranges and forwarded headers mean the same to us as to independent arithmetic, whatever way they are written, and
 * that no text makes a parser throw.
 */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AddressSet, parseAddressRanges } from '../../../src/protocol/address-set.js';
import { parseForwarded, parseForwardedFor } from '../../../src/protocol/forwarded.js';
import {
  carriedIPv4,
  formatIpAddress,
  ipAddressBytes,
  networkOf,
  parseIpAddress,
} from '../../../src/protocol/ip-address.js';

const ipv4 = fc.nat(0xffffffff);
const ipv6 = fc.bigInt(0n, (1n << 128n) - 1n);

const dotted = (value: number): string => [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.');
const groups = (value: bigint): string[] =>
  Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));

/** An IPv6 address with zeros left out at some place where there are any. */
const written = fc.tuple(ipv6, fc.nat(7), fc.nat(7), fc.boolean()).map(([value, from, length, upper]) => {
  const parts = groups(value);
  const run = parts.slice(from, from + length + 1);
  const text = run.every((part) => part === '0')
    ? `${parts.slice(0, from).join(':')}::${parts.slice(from + run.length).join(':')}`
    : parts.join(':');
  return { value, text: upper ? text.toUpperCase() : text };
});

it('an IPv6 address is the same however it is written', () => {
  fc.assert(
    fc.property(written, ({ value, text }) => {
      fc.pre(value >> 32n !== 0xffffn);
      expect(parseIpAddress(text)).toEqual({ version: 6, digits: value.toString(16).padStart(32, '0') });
    }),
  );
});

it('what Node.js takes for an address is one, and nothing else', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'0123456789abf:.%'), maxLength: 20 });
  const part = fc.oneof(
    fc.constantFrom('', ':', '::', '.', '0', '00', '127.0.0.1', 'ffff', '1.2.3', 'g', '256'),
    fc.nat(0x1ffff).map((group) => group.toString(16)),
  );
  const parts = fc.array(part, { maxLength: 10 }).map((several) => several.join(':'));
  fc.assert(
    fc.property(fc.oneof(letters, parts, fc.string(), fc.ipV4(), fc.ipV6()), (text) => {
      expect(ipAddressBytes(text)?.length).toBe({ 0: undefined, 4: 4, 6: 16 }[isIP(text)]);
    }),
    { numRuns: 3000, examples: [['127.0.0.1::'], ['::127.0.0.1'], ['1::127.0.0.1'], ['::1%']] },
  );
});

it('an address is written as Node.js writes it, and read again as the same bytes', () => {
  // Many with zeros, which are written in short.
  const zeros = fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 });
  const bytes = fc.oneof(zeros.map(Buffer.from), fc.uint8Array({ minLength: 16, maxLength: 16 }));
  fc.assert(
    fc.property(fc.oneof(fc.ipV6(), bytes.map(formatIpAddress)), (text) => {
      const shown = formatIpAddress(ipAddressBytes(text)!);
      if (shown.includes(':')) expect(`[${shown}]`).toBe(new URL(`http://[${text}]`).hostname);
      expect(parseIpAddress(shown)).toEqual(parseIpAddress(text));
    }),
  );
});

it('an IPv4 address is carried by what is written around it, and by nothing else', () => {
  fc.assert(
    fc.property(ipv4.map(dotted), ipv6, (address, value) => {
      for (const before of ['::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'])
        expect(carriedIPv4(`${before}${address}`)).toBe(address);
      const other = groups(value | (1n << 127n)).join(':');
      expect(carriedIPv4(other)).toBeUndefined();
    }),
  );
});

it('a range of IPv4 holds what has its first bits', () => {
  fc.assert(
    fc.property(ipv4, ipv4, fc.nat(32), (base, other, prefix) => {
      const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
      const set = new AddressSet([`${dotted((base & mask) >>> 0)}/${prefix}`]);
      expect(set.has(dotted(base))).toBe(true);
      expect(set.has(`::ffff:${dotted(base)}`)).toBe(true);
      expect(set.has(dotted(other))).toBe((base & mask) >>> 0 === (other & mask) >>> 0);
    }),
  );
});

it('a range of IPv6 holds what has its first bits', () => {
  fc.assert(
    fc.property(ipv6, ipv6, fc.nat(128), (base, other, prefix) => {
      const shift = BigInt(128 - prefix);
      const first = (base >> shift) << shift;
      // IPv4 within IPv6 is IPv4.
      fc.pre([base, other, first].every((value) => value >> 32n !== 0xffffn));
      const set = new AddressSet([`${groups(first).join(':')}/${prefix}`]);
      expect(set.has(groups(base).join(':'))).toBe(true);
      expect(set.has(groups(other).join(':'))).toBe(base >> shift === other >> shift);
    }),
  );
});

it('many ranges hold what one of them holds', () => {
  const range = fc.tuple(ipv4, fc.integer({ min: 4, max: 32 })).map(([value, prefix]) => {
    const mask = (0xffffffff << (32 - prefix)) >>> 0;
    return `${dotted((value & mask) >>> 0)}/${prefix}`;
  });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), ipv4.map(dotted), (ranges, address) => {
      const each = ranges.some((one) => new AddressSet([one]).has(address));
      expect(new AddressSet(ranges).has(address)).toBe(each);
    }),
  );
});

it('two addresses are counted together exactly if their first 64 bits are the same', () => {
  fc.assert(
    fc.property(ipv6, fc.bigInt(0n, (1n << 64n) - 1n), ipv6, (value, host, other) => {
      fc.pre([value, other].every((one) => one >> 64n !== 0n));
      const neighbour = ((value >> 64n) << 64n) | host;
      expect(networkOf(groups(neighbour).join(':'))).toBe(networkOf(groups(value).join(':')));
      const same = value >> 64n === other >> 64n;
      expect(networkOf(groups(other).join(':')) === networkOf(groups(value).join(':'))).toBe(same);
    }),
  );
});

it('no text makes a parser throw', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'for=",;\\ []:.1af%/') }));
  fc.assert(
    fc.property(text, (any) => {
      parseForwarded(any);
      parseForwardedFor(any);
      parseAddressRanges(any);
    }),
    { numRuns: 2000 },
  );
});

it('what is written as Forwarded is read back', () => {
  const quoted = (value: string): string => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
  const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
  const port = fc.integer({ min: 1, max: 65535 });
  const any = fc.record({
    address: fc.oneof(
      ipv4.map(dotted),
      ipv6.map((one) => groups(one).join(':')),
    ),
    port,
    host: value,
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 5 }), (elements) => {
      const text = elements
        .map(({ address, port: of, host }) => {
          const client = address.includes(':') ? `[${address}]:${of}` : `${address}:${of}`;
          return `for=${quoted(client)};host=${quoted(host)}`;
        })
        .join(', ');
      const read = parseForwarded(text)?.map((one) => ({ port: one.for?.port, host: one.host }));
      expect(read).toEqual(elements.map(({ port: of, host }) => ({ port: of, host })));
    }),
  );
});
