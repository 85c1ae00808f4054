/** Owns that a table of strangers' names stays small, and forgets nothing that is in use. */
import { describe, expect, it } from 'vitest';
import { Census } from '../../../src/server/admission/census.js';
import { SweptTable } from '../../../src/server/admission/swept-table.js';

describe('a swept table', () => {
  const make = (maxEntries: number) =>
    new SweptTable({
      create: () => ({ busy: false, pinned: false }),
      isIdle: ({ busy, pinned }) => !busy && !pinned,
      isExpendable: ({ pinned }) => !pinned,
      maxEntries,
    });

  it('drops what is idle as others come, however many', () => {
    const table = make(1000);
    const kept = table.obtain('kept');
    kept.pinned = true;
    for (let index = 0; index < 10_000; index += 1) {
      table.obtain(`name ${index}`);
      expect(table.size).toBeLessThan(5);
    }
    expect(table.get('kept')).toBe(kept);
  });

  it('drops the oldest that may go when it is full', () => {
    const table = make(100);
    for (let index = 0; index < 500; index += 1) table.obtain(`name ${index}`).busy = true;
    expect(table.size).toBe(100);
    expect(table.get('name 499')).toBeDefined();
    expect(table.get('name 0')).toBeUndefined();
  });

  it('grows when nothing may go, and shrinks when it may again', () => {
    const table = make(100);
    const entries = Array.from({ length: 300 }, (_, index) => {
      const entry = table.obtain(`name ${index}`);
      entry.pinned = true;
      return entry;
    });
    expect(table.size).toBe(300);
    for (const entry of entries) entry.pinned = false;
    for (let index = 0; index < 300; index += 1) table.obtain(`other ${index}`);
    expect(table.size).toBeLessThan(10);
  });
});

it('a census remembers who is connected and who was just too fast, and nobody else', () => {
  let time = 0;
  const census = new Census({ rate: { perSecond: 1, burst: 2 }, isExempt: () => false, now: () => time });
  const connected = census.recordOf('192.0.2.1')!;
  connected.connections = 1;
  const fast = census.recordOf('192.0.2.2')!;
  fast.tokens = 0;
  for (let index = 0; index < 1000; index += 1) census.recordOf(`10.0.${index >> 8}.${index & 255}`);
  expect(census.size).toBeLessThan(10);
  expect(census.recordOf('192.0.2.1')).toBe(connected);
  expect(census.recordOf('192.0.2.2')).toBe(fast);
  time += 2000;
  for (let index = 0; index < 1000; index += 1) census.recordOf(`10.0.${index >> 8}.${index & 255}`);
  expect(census.recordOf('192.0.2.2')).not.toBe(fast);
  expect(census.recordOf('192.0.2.1')).toBe(connected);
});
