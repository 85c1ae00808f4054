/** Owns when a wait becomes a state: the watch, the outlet's edges and who may be read meanwhile. On simulated timers. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ByteFramer } from '../../../src/server/paths/byte-framer.js';
import { Intake } from '../../../src/server/paths/intake.js';
import { PressureWatch } from '../../../src/server/paths/pressure-watch.js';
import { READ_BUFFER, viewOf } from '../../../src/server/wires/read-buffer.js';
import { FakeWire, fakeLink } from './fake-wire.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the pressure watch', () => {
  function writer() {
    const lines: string[] = [];
    return { lines, onDwelled: () => lines.push('dwelled'), onStillBlocked: () => lines.push('still blocked') };
  }

  it('tells when a wait lasts for the dwell, and then about once a second', () => {
    const watch = new PressureWatch(20);
    const slow = writer();
    watch.begin(slow);
    vi.advanceTimersByTime(19);
    expect(slow.lines).toEqual([]);
    vi.advanceTimersByTime(21);
    expect(slow.lines).toEqual(['dwelled']);
    vi.advanceTimersByTime(3100);
    expect(slow.lines).toEqual(['dwelled', 'still blocked', 'still blocked', 'still blocked']);
    watch.stop();
  });

  it('tells nothing of a wait that is over before', () => {
    const watch = new PressureWatch(20);
    const quick = writer();
    watch.begin(quick);
    vi.advanceTimersByTime(15);
    watch.end(quick);
    vi.advanceTimersByTime(1000);
    expect(quick.lines).toEqual([]);
  });

  it('has one timer for all, which runs only while somebody waits', () => {
    const watch = new PressureWatch(20);
    const all = [writer(), writer(), writer()];
    expect(vi.getTimerCount()).toBe(0);
    for (const one of all) watch.begin(one);
    expect([vi.getTimerCount(), watch.size]).toEqual([1, 3]);
    for (const one of all) watch.end(one);
    expect([vi.getTimerCount(), watch.size]).toEqual([0, 0]);
  });

  it('takes the end of a wait that never began', () => {
    const watch = new PressureWatch(0);
    watch.end(writer());
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an outlet', () => {
  it('stops its feeder at once, and throttles only when that lasts', () => {
    const { wire, owner, link } = fakeLink('server');
    wire.roomy = false;
    expect(link.outlet.write(Buffer.from('x'))).toBe(false);
    expect(link.outlet.blocked).toBe(true);
    vi.advanceTimersByTime(10);
    link.outlet.drained();
    vi.advanceTimersByTime(100);
    expect(owner.lines).toEqual(['drained']);
  });

  it('stops its feeder when what was put off by a cork does not fit', () => {
    const { wire, link } = fakeLink('server');
    link.outlet.cork();
    expect(link.outlet.write(Buffer.from('x'))).toBe(true);
    wire.roomy = false;
    link.outlet.uncork();
    expect([link.outlet.blocked, wire.corked]).toEqual([true, 0]);
    link.onClosed();
  });

  it('alternates throttled and unthrottled, beginning with throttled', () => {
    const { wire, owner, link } = fakeLink('server');
    for (let n = 0; n < 3; n += 1) {
      wire.roomy = false;
      link.outlet.write(Buffer.from('x'));
      vi.advanceTimersByTime(60);
      wire.roomy = true;
      link.outlet.drained();
    }
    expect(owner.lines).toEqual([1, 2, 3].flatMap(() => ['throttled', 'unthrottled', 'drained']));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('throttles at the high water mark for what the application sends, and not again above it', () => {
    const { wire, owner, link } = fakeLink('server');
    wire.bufferedBytes = 999;
    link.send('x');
    expect(owner.lines).toEqual([]);
    wire.bufferedBytes = 1000;
    link.send('x');
    link.send('x');
    expect(owner.lines).toEqual(['throttled']);
  });

  it('is unthrottled only when the level is down at the low water mark', () => {
    const { wire, owner, link } = fakeLink('server');
    wire.bufferedBytes = 2000;
    wire.roomy = false;
    link.send('x');
    wire.bufferedBytes = 500;
    link.outlet.drained();
    expect(owner.lines).toEqual(['throttled', 'drained']);
    link.send('x');
    wire.bufferedBytes = 100;
    link.outlet.drained();
    expect(owner.lines).toEqual(['throttled', 'drained', 'unthrottled', 'drained']);
  });

  it('drops what would go on top of too much', () => {
    const { wire, link } = fakeLink('server');
    wire.bufferedBytes = 10_001;
    expect(link.send('x')).toBe('dropped');
    expect(link.sent.messages).toBe(0);
    wire.bufferedBytes = 0;
    expect(link.send('x')).toBe('accepted');
  });

  it('forgets its wait when the wire is gone', () => {
    const { wire, owner, link } = fakeLink('server');
    wire.roomy = false;
    link.outlet.write(Buffer.from('x'));
    link.onClosed();
    vi.advanceTimersByTime(5000);
    expect(owner.lines).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an intake', () => {
  it('reads only when it is allowed and nobody down the path is blocked', () => {
    const wire = new FakeWire();
    const intake = new Intake(wire);
    const reads = [intake.block, intake.allow, intake.unblock, intake.forbid, intake.unblock, intake.allow].map(
      (step) => {
        step.call(intake);
        return wire.reading;
      },
    );
    expect(reads).toEqual([false, false, true, false, false, true]);
  });

  it('tells a time in which nothing was read, once when it is over', () => {
    const intake = new Intake(new FakeWire());
    intake.allow();
    expect(intake.takeDeafness()).toBe(false);
    intake.block();
    intake.unblock();
    expect([intake.takeDeafness(), intake.takeDeafness()]).toEqual([true, false]);
    intake.forbid();
    expect([intake.takeDeafness(), intake.takeDeafness()]).toEqual([true, true]);
    intake.allow();
    expect([intake.takeDeafness(), intake.takeDeafness()]).toEqual([true, false]);
  });
});

describe('a byte framer', () => {
  it('makes one binary frame of each chunk, none of an empty one, and counts', () => {
    const { wire, link } = fakeLink('server');
    const framer = new ByteFramer(link, 'binary');
    for (const chunk of ['one', '', 'two']) expect(framer.frame(Buffer.from(chunk))).toBe('more');
    const large = Buffer.alloc(100_000, 7);
    expect(framer.frame(large)).toBe('more');
    expect(wire.frames.map(({ opcode, payload }) => [opcode, payload.length])).toEqual([
      [2, 3],
      [2, 3],
      [2, 100_000],
    ]);
    expect(wire.frames.at(-1)?.payload.equals(large)).toBe(true);
    expect(link.sent).toMatchObject({ messages: 3, bytes: 100_006 });
  });

  it.each([1, 125, 126, 4000, 65_535, 65_536, 200_000])('sends %i bytes of the last read where they lie', (length) => {
    for (let at = 0; at < length; at += 1) READ_BUFFER[at] = (at * 11 + 3) & 0xff;
    const payload = Buffer.from(READ_BUFFER.subarray(0, length));
    const { wire, link } = fakeLink('server');
    expect(new ByteFramer(link, 'binary').frame(viewOf(length))).toBe('more');
    // A frame that has to wait for its turn is a copy instead.
    link.outlet.forward(Buffer.of(0x82, 2, 0x61), 0, 3, {
      frame: -1,
      message: -1,
      insideFrame: true,
      insideMessage: true,
    });
    new ByteFramer(link, 'binary').frame(viewOf(length));
    READ_BUFFER.fill(0, 0, length);
    link.outlet.forward(Buffer.of(0x62), 0, 1, { frame: 1, message: 1, insideFrame: false, insideMessage: false });
    expect(wire.writes.length).toBe(4);
    const [first, between, last] = wire.frames.map((frame) => frame.payload);
    expect(between?.toString()).toBe('ab');
    expect([first?.equals(payload), last?.equals(payload)]).toEqual([true, true]);
    expect(link.sent).toMatchObject({ messages: 2, bytes: 2 * length });
  });

  it('cuts text at code points only, wherever the chunks are cut', () => {
    const text = Buffer.from('aé€😀z');
    for (let at = 0; at <= text.length; at += 1) {
      const { wire, link } = fakeLink('server');
      const framer = new ByteFramer(link, 'text');
      for (const chunk of [text.subarray(0, at), text.subarray(at)]) expect(framer.frame(chunk)).toBe('more');
      const parts = wire.frames.map(({ payload }) => new TextDecoder('utf-8', { fatal: true }).decode(payload));
      expect(parts.join('')).toBe('aé€😀z');
      expect(parts).not.toContain('');
    }
  });

  it('says that bytes are no text, and goes on saying it', () => {
    const { wire, link } = fakeLink('server');
    const framer = new ByteFramer(link, 'text');
    expect(framer.frame(Buffer.from([0x61, 0xff]))).toBe('invalid');
    expect(framer.frame(Buffer.from('fine'))).toBe('invalid');
    expect(wire.writes).toEqual([]);
    expect(framer.violation.error).toBe('INVALID_UTF8');
  });

  it('says when the target has to wait', () => {
    const { wire, link } = fakeLink('server');
    wire.roomy = false;
    expect(new ByteFramer(link, 'binary').frame(Buffer.from('x'))).toBe('full');
    link.onClosed();
  });
});
