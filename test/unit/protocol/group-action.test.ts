/** Owns addresses, and how messages, filters and pings are written for a group. */
import { describe, expect, it } from 'vitest';
import { connectionNameIn, connectionsAt, formatAddress, parseAddress } from '../../../src/protocol/control/address.js';
import {
  absoluteFilter,
  assertGroupMessage,
  membersOf,
  payloadBytes,
  problemOf,
  readGroupMessage,
  writeGroupMessage,
} from '../../../src/protocol/control/group-action.js';

describe('an address', () => {
  it.each([
    ['b1/conn-12', { member: 'b1', connection: 'conn-12' }],
    ['a/b/conn-1', { member: 'a/b', connection: 'conn-1' }],
    ['conn-12', { member: undefined, connection: 'conn-12' }],
    ['/conn-1', { member: '', connection: 'conn-1' }],
    ['', { member: undefined, connection: '' }],
  ])('%j is read as member and connection', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
    if (expected.member !== undefined) expect(formatAddress(expected.member, expected.connection)).toBe(text);
  });

  it('of a filter is made to mean the same everywhere', () => {
    const filter = { channel: 'c', protocol: 'p', include: ['conn-1', 'b2/conn-2'], exclude: ['conn-3'] };
    expect(absoluteFilter(filter, (address) => `at ${address}`)).toEqual({
      channel: 'c',
      protocol: 'p',
      include: ['at conn-1', 'at b2/conn-2'],
      exclude: ['at conn-3'],
    });
    expect(absoluteFilter({}, String)).toEqual({});
  });

  it.each([
    [['Tidegate-Connection', 'conn-12'], 'conn-12'],
    [['tidegate-connection', 'a.b:c@d_e'], 'a.b:c@d_e'],
    [['Upgrade', 'websocket'], undefined],
    [['Tidegate-Connection', ''], undefined],
    [['Tidegate-Connection', 'b1/conn-1'], undefined],
    [['Tidegate-Connection', 'x'.repeat(129)], undefined],
  ])('is told by a 101 with the fields %j', (rawHeaders, expected) => {
    expect(connectionNameIn(rawHeaders)).toBe(expected);
  });

  it('is looked for at its member only', () => {
    expect(connectionsAt('b1', ['b1/conn-1', 'b2/conn-2', 'b1/conn-3', 'conn-4'])).toEqual(['conn-1', 'conn-3']);
  });
});

describe('a message for a group', () => {
  it.each([['text'], [''], ['é🙂\u0000']])('%j comes back from JSON as it was', (text) => {
    const written = writeGroupMessage(text);
    expect(readGroupMessage(JSON.parse(JSON.stringify(written)))).toBe(text);
    expect(payloadBytes({ verb: 'broadcast', message: written })).toBe(Buffer.byteLength(text));
  });

  it.each([0, 1, 2, 3, 255, 1000])('of %d bytes comes back from JSON as it was', (length) => {
    const whole = Uint8Array.from({ length: length + 5 }, (_, n) => n * 7);
    const bytes = whole.subarray(5);
    const written = writeGroupMessage(bytes);
    expect(Buffer.compare(readGroupMessage(JSON.parse(JSON.stringify(written))) as Buffer, bytes)).toBe(0);
    expect(payloadBytes({ verb: 'send', to: 'b1/c', message: written })).toBe(length);
  });

  it('is text or bytes', () => {
    expect(() => assertGroupMessage({})).toThrow('a message of type object; it must be a string or a Uint8Array');
    expect(() => assertGroupMessage(undefined)).toThrow('type undefined');
    assertGroupMessage(new Uint8Array(1));
  });

  it('has a largest size', () => {
    expect(problemOf({ verb: 'send', to: 'b1/c', message: { text: 'é' } }, 2)).toBeUndefined();
    expect(problemOf({ verb: 'send', to: 'b1/c', message: { text: 'é' } }, 1)).toContain('2 bytes; at most 1 fit');
    expect(problemOf({ verb: 'broadcast', message: { base64: 'AAAA' } }, 3)).toBeUndefined();
    expect(problemOf({ verb: 'broadcast', message: { base64: 'AAAA' } }, 2)).toContain('3 bytes; at most 2 fit');
    expect(problemOf({ verb: 'ping' }, 0)).toBeUndefined();
    expect(problemOf({ verb: 'ping', payload: 'x'.repeat(125) }, 0)).toBeUndefined();
    expect(problemOf({ verb: 'disconnectAll' }, 0)).toBeUndefined();
  });
});

describe('whom an action concerns', () => {
  it('is said by its addresses, or it is everybody', () => {
    const message = { text: '' };
    expect(membersOf({ verb: 'send', to: 'b1/c', message })).toEqual(new Set(['b1']));
    const include = ['b1/c', 'b2/c', 'b1/d'];
    expect(membersOf({ verb: 'broadcast', message, filter: { include } })).toEqual(new Set(['b1', 'b2']));
    for (const filter of [undefined, {}, { include: [] }, { exclude: ['b1/c'] }]) {
      expect(membersOf({ verb: 'broadcast', message, filter })).toBeUndefined();
    }
    expect(membersOf({ verb: 'ping' })).toBeUndefined();
    expect(membersOf({ verb: 'disconnectAll' })).toBeUndefined();
  });
});
