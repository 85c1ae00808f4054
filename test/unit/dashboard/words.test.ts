/** Owns how the dashboard says values, and what becomes there of text that strangers chose. */
import { describe, expect, it } from 'vitest';
import { bytes, count, counted, duration, printable, shortCount } from '../../../src/dashboard/words.js';

describe('text of strangers', () => {
  it('shows what hides, turns round or breaks lines by its number', () => {
    expect(printable('a\u202egnp\u2066.\u0000\u200b\u2028\n')).toBe(
      'a\\u{202e}gnp\\u{2066}.\\u{0}\\u{200b}\\u{2028}\\u{a}',
    );
    expect(printable('\ud800 \u{e0041}')).toBe('\\u{d800} \\u{e0041}');
  });

  it('stays as it is otherwise, markup included, and is cut where it is long', () => {
    expect(printable('<b>"München" 日本 😀</b>')).toBe('<b>"München" 日本 😀</b>');
    expect(printable('x'.repeat(300), 10)).toBe('xxxxxxxxxx…');
  });

  it('does not pile up marks over its neighbours', () => {
    expect(printable(`Z${'\u0300'.repeat(50)}`)).toBe('Z\u0300\u0300…');
  });
});

describe('numbers', () => {
  it('are said with their unit', () => {
    expect([bytes(0), bytes(1023), bytes(1536), bytes(3.2 * 2 ** 30)]).toEqual([
      '0 B',
      '1,023 B',
      '1.5 KiB',
      '3.2 GiB',
    ]);
    expect([duration(4.53), duration(12_300), duration(192_000), duration(11_520_000)]).toEqual([
      '4.5 ms',
      '12.3 s',
      '3 min 12 s',
      '3 h 12 min',
    ]);
    expect([count(3.14), count(12_345), shortCount(12_345)]).toEqual(['3.1', '12,345', '12.3K']);
    expect([counted(1, 'connection'), counted(2, 'connection')]).toEqual(['1 connection', '2 connections']);
  });
});
