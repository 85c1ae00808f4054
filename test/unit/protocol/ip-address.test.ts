/** Owns how addresses are read, and what is one. */
import { describe, expect, it } from 'vitest';
import {
  asIpv6Bytes,
  ipAddressBytes,
  networkOf,
  parseIpAddress,
  plainIpAddress,
} from '../../../src/protocol/ip-address.js';

describe('an address', () => {
  it.each([
    ['192.0.2.1', 4, 'c0000201'],
    ['0.0.0.0', 4, '00000000'],
    ['255.255.255.255', 4, 'ffffffff'],
    ['::ffff:192.0.2.1', 4, 'c0000201'],
    ['::FFFF:c000:201', 4, 'c0000201'],
    ['0:0:0:0:0:ffff:192.0.2.1', 4, 'c0000201'],
    ['::', 6, '0'.repeat(32)],
    ['::1', 6, `${'0'.repeat(31)}1`],
    ['2001:db8::a:1', 6, '20010db80000000000000000000a0001'],
    ['1:2:3:4:5:6:7:8', 6, '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', 6, '00010002000300040005000600070000'],
    ['fe80::1%eth0', 6, 'fe800000000000000000000000000001'],
    ['::192.0.2.1', 6, '000000000000000000000000c0000201'],
    ['64:ff9b::192.0.2.33', 6, '0064ff9b0000000000000000c0000221'],
  ])('%s is understood', (text, version, digits) => expect(parseIpAddress(text)).toEqual({ version, digits }));

  it.each([
    '',
    'localhost',
    '192.0.2',
    '192.0.2.1.5',
    '192.0.2.256',
    '192.0.2.01',
    '0x7f.0.0.1',
    '192.0.2.1 ',
    ' ::1',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '::192.0.2.1:1',
    '192.0.2.1::',
    '127.0.0.1::',
    '1:127.0.0.1::',
    '::1%',
    '[::1]',
    '1.2.3.4%eth0',
  ])('%j is none', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
    expect(ipAddressBytes(text)).toBeUndefined();
  });

  it('keeps in its bytes how it is written, and stands among IPv6 ones if it has to', () => {
    const mapped = `${'0'.repeat(20)}ffff7f000001`;
    expect(ipAddressBytes('::ffff:127.0.0.1')?.toString('hex')).toBe(mapped);
    expect(ipAddressBytes('127.0.0.1')?.toString('hex')).toBe('7f000001');
    expect(asIpv6Bytes(ipAddressBytes('127.0.0.1')!).toString('hex')).toBe(mapped);
  });
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8:1:2::/64', '2001:db8:1:2::/64'],
  ['a host', 'a host'],
])('%s is counted under %s', (address, network) => expect(networkOf(address)).toBe(network));

it.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:DB8::1', '2001:DB8::1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['', ''],
  [undefined, ''],
])('%s is shown as %s', (address, shown) => expect(plainIpAddress(address)).toBe(shown));
