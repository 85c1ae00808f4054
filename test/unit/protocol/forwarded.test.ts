/** Owns how `Forwarded` and `X-Forwarded-For` are read. */
import { describe, expect, it } from 'vitest';
import { parseForwarded, parseForwardedFor, parseNode } from '../../../src/protocol/forwarded.js';

const node = (address?: string, port = 0) => ({ address, port });
const element = (of?: unknown, host?: string, proto?: string) => ({ for: of, host, proto });

describe('Forwarded', () => {
  it.each([
    ['for=192.0.2.43', [element(node('192.0.2.43'))]],
    ['for=192.0.2.43, for="[2001:db8:cafe::17]"', [element(node('192.0.2.43')), element(node('2001:db8:cafe::17'))]],
    ['For="[2001:db8:cafe::17]:4711"', [element(node('2001:db8:cafe::17', 4711))]],
    [
      'for=192.0.2.60;proto=HTTPS;by=203.0.113.43;host="example.com:8443"',
      [element(node('192.0.2.60'), 'example.com:8443', 'https')],
    ],
    ['for=_gazonk', [element(node())]],
    ['for="_mdn:_port", for=unknown', [element(node()), element(node())]],
    ['for="192.0.2.1:_p1"', [element(node('192.0.2.1'))]],
    ['proto=http', [element(undefined, undefined, 'http')]],
    ['for="19\\2.0.2.1"', [element(node('192.0.2.1'))]],
    ['host="a, b;c=\\"d\\""', [element(undefined, 'a, b;c="d"')]],
    [
      ' for=192.0.2.1 ; proto=http\t, , for=192.0.2.2',
      [element(node('192.0.2.1'), undefined, 'http'), element(node('192.0.2.2'))],
    ],
    ['for=192.0.2.1;', [element(node('192.0.2.1'))]],
    ['', []],
    [',', []],
  ])('%j is understood', (text, elements) => expect(parseForwarded(text)).toEqual(elements));

  it.each([
    'for',
    'for=',
    'for =192.0.2.1',
    'for= 192.0.2.1',
    'for=192.0.2.1 192.0.2.2',
    'for="192.0.2.1',
    'for="a"b',
    'for=[2001:db8::1]',
    'for=192.0.2.1;for=192.0.2.2',
    'for=192.0.2.1:80',
    '=192.0.2.1',
    'for="a\u0000"',
  ])('%j is refused as a whole', (text) => expect(parseForwarded(text)).toBeUndefined());
});

describe('X-Forwarded-For', () => {
  it('is a list of nodes, empty ones left out', () => {
    expect(parseForwardedFor('192.0.2.1,  2001:db8::1 ,, unknown, 192.0.2.2:80')).toEqual([
      node('192.0.2.1'),
      node('2001:db8::1'),
      node(),
      node('192.0.2.2', 80),
    ]);
    expect(parseForwardedFor('')).toEqual([]);
  });

  it.each([
    ['192.0.2.1', node('192.0.2.1')],
    ['192.0.2.1:65535', node('192.0.2.1', 65535)],
    ['[::1]', node('::1')],
    ['[::1]:8', node('::1', 8)],
    ['::ffff:192.0.2.1', node('192.0.2.1')],
    ['2001:db8::1', node('2001:db8::1')],
    ['192.0.2.1:65536', node()],
    ['192.0.2.1:', node()],
    ['192.0.2.1:x', node()],
    ['[192.0.2.1]', node()],
    ['[::1', node()],
    ['[::1]x', node()],
    ['example.com', node()],
    ["127.0.0.1' or 1=1", node()],
    ['', node()],
  ])('the node %j', (text, expected) => expect(parseNode(text)).toEqual(expected));
});
