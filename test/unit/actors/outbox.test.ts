/** Owns that what a transition asked for happens after it, once, in order, and never inside another's. */
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../../src/actors/outbox.js';

describe('outbox', () => {
  it('does what a transition put in after the transition, in order', () => {
    const outbox = new Outbox();
    const lines: string[] = [];
    outbox.around(() => {
      outbox.push(() => lines.push('first'));
      outbox.push(() => lines.push('second'));
      lines.push('transition');
    });
    expect(lines).toEqual(['transition', 'first', 'second']);
  });

  it('does everything once', () => {
    const outbox = new Outbox();
    const lines: string[] = [];
    outbox.around(() => outbox.push(() => lines.push('once')));
    outbox.around(() => {});
    expect(lines).toEqual(['once']);
  });

  it('waits for the outermost of nested transitions', () => {
    const outbox = new Outbox();
    const lines: string[] = [];
    outbox.around(() => {
      outbox.around(() => {
        outbox.push(() => lines.push('item'));
        lines.push('inner');
      });
      lines.push('outer');
    });
    expect(lines).toEqual(['inner', 'outer', 'item']);
  });

  it('puts what an item causes behind what waits already', () => {
    const outbox = new Outbox();
    const lines: string[] = [];
    outbox.around(() => {
      outbox.push(() => {
        outbox.around(() => outbox.push(() => lines.push('caused')));
        lines.push('first');
      });
      outbox.push(() => lines.push('second'));
    });
    expect(lines).toEqual(['first', 'second', 'caused']);
  });

  it('does after the turn what a transition without anything around it put in', async () => {
    const outbox = new Outbox();
    const lines: string[] = [];
    outbox.push(() => lines.push('item'));
    outbox.settle();
    expect(lines).toEqual([]);
    await Promise.resolve();
    expect(lines).toEqual(['item']);
  });

  it('leaves it to the transition around when there is one', async () => {
    const outbox = new Outbox();
    const lines: string[] = [];
    outbox.around(() => {
      outbox.push(() => lines.push('item'));
      outbox.settle();
      lines.push('transition');
    });
    await Promise.resolve();
    expect(lines).toEqual(['transition', 'item']);
  });

  it('goes on with what waits after a transition that throws', () => {
    const outbox = new Outbox();
    const lines: string[] = [];
    const failing = () =>
      outbox.around(() => {
        outbox.push(() => lines.push('item'));
        throw new Error('transition');
      });
    expect(failing).toThrow('transition');
    expect(lines).toEqual(['item']);
    outbox.around(() => outbox.push(() => lines.push('next')));
    expect(lines).toEqual(['item', 'next']);
  });

  it('goes on with what waits after an item that throws, and is not stuck (P5)', () => {
    const outbox = new Outbox();
    const lines: string[] = [];
    const failing = () =>
      outbox.around(() => {
        outbox.push(() => {
          throw new Error('item');
        });
        outbox.push(() => lines.push('second'));
      });
    expect(failing).toThrow('item');
    outbox.around(() => outbox.push(() => lines.push('next')));
    expect(lines).toEqual(['second', 'next']);
  });
});
