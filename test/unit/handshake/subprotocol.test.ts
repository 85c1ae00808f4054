import { describe, expect, it } from 'vitest';
import { chooseSubprotocol, type WhenNoSubprotocol } from '../../../src/server/handshake/subprotocol.js';

type Row = [offered: string[], chosen: string | undefined, allowed: string[] | undefined, WhenNoSubprotocol, string];

describe('chooseSubprotocol', () => {
  it.each<Row>([
    [['a', 'b'], 'b', undefined, 'reject', 'b'],
    [['a', 'b'], 'b', ['a'], 'first', 'b'],
    [['a', 'b'], '', undefined, 'first', ''],
    [['a', 'b'], 'c', undefined, 'omit', 'SUBPROTOCOL_NOT_OFFERED'],
    [[], 'c', undefined, 'omit', 'SUBPROTOCOL_NOT_OFFERED'],
    [[], undefined, ['a'], 'reject', ''],
    [['a', 'b'], undefined, undefined, 'first', 'a'],
    [['a', 'b'], undefined, [], 'first', 'a'],
    [['a', 'b'], undefined, undefined, 'omit', ''],
    [['a', 'b'], undefined, undefined, 'reject', 'SUBPROTOCOL_REQUIRED'],
    [['a', 'b'], undefined, ['c', 'b'], 'first', 'b'],
    [['a', 'b'], undefined, ['c', 'b'], 'omit', 'b'],
    [['a', 'b'], undefined, ['c', 'b'], 'reject', 'b'],
    [['a', 'b'], undefined, ['c'], 'first', 'SUBPROTOCOL_REQUIRED'],
    [['a', 'b'], undefined, ['c'], 'omit', ''],
    [['a', 'b'], undefined, ['c'], 'reject', 'SUBPROTOCOL_REQUIRED'],
  ])('offered %j, chosen %j, allowed %j, when none %s: %j', (offered, chosen, allowed, whenNone, expected) => {
    const choice = chooseSubprotocol(offered, chosen, allowed, whenNone);
    expect('error' in choice ? choice.error : choice.subprotocol).toBe(expected);
  });

  it('says what was offered and what is served', () => {
    expect(chooseSubprotocol(['a'], undefined, ['b'], 'first')).toHaveProperty(
      'message',
      'none of the offered subprotocols "a" is served; served here: "b"',
    );
    expect(chooseSubprotocol(['a'], 'x', undefined, 'first')).toHaveProperty(
      'message',
      'the subprotocol "x" was not offered; the client offered "a"',
    );
  });
});
