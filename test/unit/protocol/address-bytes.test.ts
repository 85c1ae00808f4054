/** Owns reading the texts of IP addresses, with Node.js as the oracle. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressBytes, mapped } from '../../../src/protocol/address-bytes.js';

it.each([
  ['192.0.2.1', 'c0000201'],
  ['::', '0'.repeat(32)],
  ['::1', `${'0'.repeat(31)}1`],
  ['2001:DB8::', `20010db8${'0'.repeat(24)}`],
  ['fe80::1%eth0', `fe80${'0'.repeat(27)}1`],
  ['::ffff:127.0.0.1', `${'0'.repeat(20)}ffff7f000001`],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
])('%s', (text, bytes) => expect(addressBytes(text)?.toString('hex')).toBe(bytes));

it('takes what Node.js takes, and nothing else', () => {
  const part = fc.oneof(
    fc.constantFrom('', ':', '::', '.', '0', '00', '127.0.0.1', 'ffff', '1.2.3', 'g', '256'),
    fc.nat(0x1ffff).map((group) => group.toString(16)),
  );
  const text = fc.array(part, { maxLength: 10 }).map((parts) => parts.join(':'));
  fc.assert(
    fc.property(fc.oneof(text, fc.ipV4(), fc.ipV6(), fc.string()), (address) => {
      fc.pre(!address.includes('%'));
      expect(addressBytes(address)?.length).toBe({ 0: undefined, 4: 4, 6: 16 }[isIP(address)]);
    }),
    { numRuns: 2000 },
  );
});

it('maps IPv4 into IPv6', () => {
  expect(mapped(Buffer.from([127, 0, 0, 1]))).toEqual(addressBytes('::ffff:127.0.0.1'));
});
