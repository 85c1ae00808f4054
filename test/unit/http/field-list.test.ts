/** Owns that a list of fields changes as asked, keeps what it is not asked to change, and takes nothing that HTTP does not allow. */
import { describe, expect, it } from 'vitest';
import { FieldList } from '../../../src/server/http/field-list.js';

describe('a list of fields', () => {
  const list = () => new FieldList(['A', '1', 'set-cookie', 'x=1', 'Set-Cookie', 'y=2', 'B', 'A']);

  it('is read by names in any case', () => {
    expect(list().get('a')).toBe('1');
    expect(list().get('SET-COOKIE')).toBe('x=1, y=2');
    expect(list().getAll('set-cookie')).toEqual(['x=1', 'y=2']);
    expect(list().get('c')).toBeUndefined();
    expect(list().getAll('1')).toEqual([]);
  });

  it('keeps order and case of what is not changed', () => {
    const fields = list();
    fields.set('b', '2');
    fields.append('Set-Cookie', 'z=3');
    fields.delete('A');
    expect(fields.raw).toEqual(['set-cookie', 'x=1', 'Set-Cookie', 'y=2', 'b', '2', 'Set-Cookie', 'z=3']);
  });

  it.each([
    ['a b', '1'],
    ['', '1'],
    ['a', '1\r\nb: 2'],
    ['a', '\0'],
    ['a', '\u20ac'],
  ])('takes no field %j: %j, and loses none by it', (name, value) => {
    const fields = list();
    expect(() => fields.set(name, value)).toThrow(expect.objectContaining({ code: 'INVALID_HEADER' }));
    expect(() => fields.append(name, value)).toThrow(expect.objectContaining({ code: 'INVALID_HEADER' }));
    expect(fields.raw).toEqual(list().raw);
  });
});
