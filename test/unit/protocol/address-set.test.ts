/** Owns which addresses a list holds, and what is said about one that is written wrongly. */
import { describe, expect, it } from 'vitest';
import { AddressSet, parseAddressRanges } from '../../../src/protocol/address-set.js';

describe('a set of', () => {
  it.each([
    ['one address', ['192.0.2.1'], ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.2.2', '192.0.2.0', '::1']],
    ['a /24', ['192.0.2.0/24'], ['192.0.2.0', '192.0.2.255'], ['192.0.1.255', '192.0.3.0']],
    ['a /31', ['192.0.2.2/31'], ['192.0.2.2', '192.0.2.3'], ['192.0.2.1', '192.0.2.4']],
    ['a /32', ['192.0.2.1/32'], ['192.0.2.1'], ['192.0.2.2']],
    ['all of IPv4', ['0.0.0.0/0'], ['0.0.0.0', '255.255.255.255', '::ffff:1.2.3.4'], ['::1', '2001:db8::1', '::']],
    ['all of IPv6', ['::/0'], ['::', '2001:db8::1', 'ffff::'], ['1.2.3.4', '::ffff:1.2.3.4']],
    ['all', ['all'], ['1.2.3.4', '::1'], ['', 'a host']],
    ['none', ['none'], [], ['1.2.3.4', '::1']],
    ['a /64', ['2001:db8::/64'], ['2001:db8::', '2001:db8::ffff:ffff:ffff:ffff'], ['2001:db8:0:1::', '2001:db7::']],
    ['a /63', ['2001:db8::/63'], ['2001:db8:0:1::'], ['2001:db8:0:2::']],
    ['a /128', ['2001:db8::1/128'], ['2001:db8::1', '2001:0db8:0::0:1'], ['2001:db8::2']],
    ['IPv4 written as IPv6', ['::ffff:10.0.0.0/104'], ['10.1.2.3', '::ffff:10.1.2.3'], ['11.0.0.0', '::a00:1']],
    ['loopback', ['loopback'], ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'], ['128.0.0.1', '::2']],
    [
      'private',
      ['private'],
      ['10.0.0.1', '172.31.0.1', '192.168.1.1', 'fd00::1'],
      ['172.32.0.1', '192.169.0.1', '100.64.0.1'],
    ],
    ['shared', ['shared'], ['100.64.0.1', '100.127.255.255'], ['100.128.0.1', '10.0.0.1']],
    ['link-local, with a zone', ['link-local'], ['fe80::1%eth0', '169.254.1.1'], ['fec0::1']],
    [
      'ranges within and over each other',
      ['10.0.0.0/8', '10.1.0.0/16', '10.0.0.0/9'],
      ['10.255.0.0', '10.1.0.1'],
      ['11.0.0.0'],
    ],
  ])('%s has what is in it, and nothing else', (_, texts, inside, outside) => {
    const set = new AddressSet(texts);
    expect(inside.filter((address) => !set.has(address))).toEqual([]);
    expect(outside.filter((address) => set.has(address))).toEqual([]);
  });

  it('nothing has nothing', () => {
    const set = new AddressSet([]);
    expect(set.isEmpty).toBe(true);
    expect(set.has('0.0.0.0')).toBe(false);
  });
});

it.each([
  ['', /expected an IP address, a range such as/],
  ['localhost', /expected an IP address/],
  ['10.0.0.0/', /a prefix from 0 to 32/],
  ['10.0.0.0/33', /a prefix from 0 to 32/],
  ['10.0.0.0/-1', /a prefix from 0 to 32/],
  ['10.0.0.0/8/8', /a prefix from 0 to 32/],
  ['10.0.0.0/ 8', /a prefix from 0 to 32/],
  ['10.0.0.0/255.0.0.0', /a prefix from 0 to 32/],
  ['2001:db8::/129', /a prefix from 0 to 128/],
  ['::ffff:10.0.0.0/95', /a prefix from 96 to 128/],
  ['10.0.0.5/8', /no bits behind the prefix: 10.0.0.5\/8 begins before 10.0.0.5/],
  ['2001:db8::1/64', /no bits behind the prefix/],
  ['fe80::1%eth0', /without a zone/],
  ['010.0.0.1', /expected an IP address/],
  ['toString', /expected an IP address/],
])('%j is no range, and it is said why', (text, fault) => {
  expect(parseAddressRanges(text)).toEqual({ fault: expect.stringMatching(fault) });
  expect(() => new AddressSet([text])).toThrow(fault);
});
