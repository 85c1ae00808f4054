import { describe, expect, it } from 'vitest';
import { Utf8Stream } from '../../../src/protocol/utf8-stream.js';

const hex = (text: string) => Buffer.from(text, 'hex');

describe('Utf8Stream', () => {
  it('passes whole code points on without copying them', () => {
    const chunk = Buffer.from('añ€😀');
    const pushed = new Utf8Stream().push(chunk);
    expect(pushed?.toString()).toBe('añ€😀');
    expect(pushed?.buffer).toBe(chunk.buffer);
  });

  it('holds an incomplete code point back until it is complete', () => {
    const stream = new Utf8Stream();
    expect(stream.push(hex('61f09f98'))?.toString()).toBe('a');
    expect([stream.heldBytes, stream.end()]).toEqual([3, false]);
    expect(stream.push(hex('8062'))?.toString()).toBe('😀b');
    expect([stream.heldBytes, stream.end()]).toEqual([0, true]);
  });

  it('returns an empty buffer while nothing is complete', () => {
    const stream = new Utf8Stream();
    const pieces = ['f0', '9f', '98'].map((byte) => stream.push(hex(byte))?.length);
    expect(pieces).toEqual([0, 0, 0]);
    expect(stream.push(hex('80'))?.toString()).toBe('😀');
  });

  it('holds a copy, so that the chunk may be reused', () => {
    const stream = new Utf8Stream();
    const chunk = hex('e282');
    stream.push(chunk);
    chunk.fill(0);
    expect(stream.push(hex('ac'))?.toString()).toBe('€');
  });

  it.each([
    ['a continuation byte on its own', '80'],
    ['an overlong form of two bytes', 'c0'],
    ['another overlong form of two bytes', 'c1'],
    ['an overlong form of three bytes', 'e09f'],
    ['a surrogate', 'eda0'],
    ['an overlong form of four bytes', 'f08f'],
    ['a code point above U+10FFFF', 'f490'],
    ['a lead that is above every code point', 'f5'],
    ['a byte that is never UTF-8', 'ff'],
    ['a lead where a continuation byte must be', 'e2e2'],
    ['ASCII where a continuation byte must be', 'f09f41'],
  ])('refuses %s at its last byte and no earlier, in one chunk and in several', (_, bytes) => {
    const whole = hex(`61${bytes}`);
    expect(new Utf8Stream().push(whole)).toBeNull();
    const stream = new Utf8Stream();
    const results = Array.from(whole, (_byte, at) => stream.push(whole.subarray(at, at + 1)) === null);
    expect(results).toEqual([...Array<boolean>(whole.length - 1).fill(false), true]);
  });

  it('stays refused', () => {
    const stream = new Utf8Stream();
    stream.push(hex('ff'));
    expect(stream.push(Buffer.from('a'))).toBeNull();
    expect(stream.end()).toBe(false);
  });

  it('may end at once, and takes empty chunks', () => {
    const stream = new Utf8Stream();
    expect(stream.end()).toBe(true);
    expect(stream.push(Buffer.alloc(0))?.length).toBe(0);
    expect(stream.end()).toBe(true);
  });
});
