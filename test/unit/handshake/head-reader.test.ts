/** Owns reading one head from a wire: whatever the pieces, the bound and the end, one thing is told, once. */
import { describe, expect, it } from 'vitest';
import { HeadReader } from '../../../src/server/handshake/head-reader.js';
import { FakeWire } from '../paths/fake-wire.js';

/** A wire that keeps what is given back, as a real one does. */
class KeepingWire extends FakeWire {
  readonly kept: Buffer[] = [];

  override unread(bytes: Buffer): void {
    this.kept.push(bytes);
  }

  get keptText(): string {
    return Buffer.concat(this.kept).toString('latin1');
  }
}

class Reader extends HeadReader {
  readonly told: string[] = [];
  /** Judges the first line. */
  judge: ((line: string) => string | undefined) | undefined;
  readonly judged: string[] = [];

  protected override faultInFirstLine(line: string): string | undefined {
    this.judged.push(line);
    return this.judge?.(line);
  }

  protected override onHead(text: string): void {
    this.told.push(`head ${text}`);
  }

  protected override onFault(fault: string): void {
    this.told.push(`fault ${fault}`);
  }

  protected override onTooBig(): void {
    this.told.push('too big');
  }

  protected override onGone(error: Error | undefined): void {
    this.told.push(`gone ${error?.message ?? ''}`);
  }
}

function start(maxBytes = 100) {
  const wire = new KeepingWire();
  const reader = new Reader(wire, maxBytes);
  reader.start();
  // As a real wire does, it hands everything on in the same memory.
  const memory = Buffer.alloc(64 * 1024);
  const give = (text: string): void => {
    const length = memory.write(text, 'latin1');
    if (wire.reading) wire.reader?.onBytes(memory.subarray(0, length));
    memory.fill(0);
  };
  return { wire, reader, give };
}

const HEAD = 'GET / HTTP/1.1\r\nHost: caf\xe9\r\n\r\n';

describe('a head', () => {
  it('is read whole, and the wire is not read any more', () => {
    const { wire, reader, give } = start();
    expect([wire.reading, wire.reader]).toEqual([true, reader]);
    give(HEAD);
    expect([reader.told, wire.reading, wire.keptText]).toEqual([[`head ${HEAD}`], false, '']);
    expect(reader.received).toBe(HEAD.length);
  });

  it('is the same wherever it is cut, and gives back what is behind it', () => {
    const text = `${HEAD}behind`;
    for (let first = 0; first <= text.length; first += 1) {
      for (let second = first; second <= text.length; second += 1) {
        const { wire, reader, give } = start();
        for (const part of [text.slice(0, first), text.slice(first, second), text.slice(second)]) {
          if (part !== '') give(part);
        }
        expect(reader.told).toEqual([`head ${HEAD}`]);
        // What a stopped wire is not handed, it still has.
        expect('behind'.startsWith(wire.keptText)).toBe(true);
        expect(wire.reading).toBe(false);
      }
    }
  });

  it('gives back a copy of what is behind it: the memory is the wire’s', () => {
    const { wire, give } = start();
    give(`${HEAD}behind`);
    expect(wire.keptText).toBe('behind');
  });

  it('comes without the empty lines before it', () => {
    const { reader, give } = start();
    for (const byte of `\r\n\r\n${HEAD}`) give(byte);
    expect(reader.told).toEqual([`head ${HEAD}`]);
  });

  it('may have as many bytes as the bound says, and not one more', () => {
    for (const step of [1, 7, 1000]) {
      const fits = start(HEAD.length);
      const exceeds = start(HEAD.length - 1);
      for (let at = 0; at < HEAD.length; at += step) {
        fits.give(HEAD.slice(at, at + step));
        exceeds.give(HEAD.slice(at, at + step));
      }
      expect([fits.reader.told, exceeds.reader.told]).toEqual([[`head ${HEAD}`], ['too big']]);
    }
  });

  it('does not count what is behind it', () => {
    const { reader, give } = start(HEAD.length);
    give(`${HEAD}${'x'.repeat(5000)}`);
    expect(reader.told).toEqual([`head ${HEAD}`]);
  });

  it.each([
    ['in one piece', 3000],
    ['in small pieces', 3],
  ])('that never ends is too big, and no more is read of it: %s', (_, step) => {
    const { wire, reader, give } = start(200);
    for (let at = 0; at < 3000 && wire.reading; at += step)
      give(`GET / HTTP/1.1\r\nX: ${'x'.repeat(3000)}`.slice(at, at + step));
    expect([reader.told, wire.reading]).toEqual([['too big'], false]);
  });

  it('has no room for empty lines without end', () => {
    const { wire, reader, give } = start(200);
    for (let n = 0; n < 1000 && wire.reading; n += 1) give('\r\n');
    expect(reader.told).toEqual(['too big']);
    expect(reader.received).toBeLessThan(300);
  });
});

describe('what is no head', () => {
  it('is told at its first wrong byte', () => {
    const { wire, reader, give } = start();
    give('GET / HTTP/1.1\r\nX: a');
    give('\0');
    expect(reader.told).toEqual(['fault it holds a byte 0x00']);
    give(HEAD);
    expect([reader.told.length, wire.reading]).toEqual([1, false]);
  });

  it('is told behind its first line, before the rest came', () => {
    const { reader, give } = start();
    reader.judge = (line) => (line.startsWith('SSH') ? `no: ${line}` : undefined);
    for (const part of ['SS', 'H-2.0\r', '\nmore']) give(part);
    expect(reader.told).toEqual(['fault no: SSH-2.0']);
  });

  it('has its first line judged once, and not at all if everything came at once', () => {
    const dripping = start();
    for (const byte of `\r\n${HEAD}`) dripping.give(byte);
    expect(dripping.reader.judged).toEqual(['GET / HTTP/1.1']);
    const whole = start();
    whole.give(HEAD);
    expect(whole.reader.judged).toEqual([]);
  });
});

describe('a peer', () => {
  it('that ends or goes before it sent anything is gone', () => {
    const ended = start();
    ended.reader.onEnd();
    const lost = start();
    lost.reader.onClosed(new Error('reset'));
    const left = start();
    left.reader.onClosed(undefined);
    expect([ended, lost, left].map(({ reader }) => reader.told)).toEqual([['gone '], ['gone reset'], ['gone ']]);
  });

  it('that ends within its head sent something wrong', () => {
    const { reader, give } = start();
    give('GET ');
    reader.onEnd();
    reader.onClosed(undefined);
    expect(reader.told).toEqual(['fault it ended before its head did']);
  });

  it('that goes within its head is gone', () => {
    const { reader, give } = start();
    give('GET ');
    reader.onClosed(new Error('reset'));
    expect(reader.told).toEqual(['gone reset']);
  });

  it('is not told of any more once it was stopped', () => {
    const { wire, reader } = start();
    reader.stop();
    expect(wire.reading).toBe(false);
    reader.onBytes(Buffer.from(HEAD));
    reader.onEnd();
    reader.onClosed(undefined);
    expect(reader.told).toEqual([]);
  });
});
