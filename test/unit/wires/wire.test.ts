/** Owns how a wire is read, over every transport: order, stopping, watching, giving back, and both ends' addresses. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/events.js';
import { marked, recordOf, settled, TRANSPORTS, type Transport, wirePair } from '../../support/wires.js';

const MEBIBYTE = 2 ** 20;
/** What a wire that is not handed on may keep: one read of a handle, or the buffer of a stream. */
const ONE_READ = 256 * 1024;

describe.each(TRANSPORTS.map((one) => [one.layer.kind, one.over, one] as const))('a %s wire over %s', (...row) => {
  const transport: Transport = row[2];
  const { over } = transport;
  const pair = () => wirePair(transport);

  it('hands on every byte in order, and counts them', async () => {
    const { wire, record, peer } = await pair();
    const bytes = marked(1, 3 * MEBIBYTE);
    wire.read();
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3) % 100_003) {
      peer.write(bytes.subarray(at, at + size));
    }
    expect((await record.received(bytes.length)).equals(bytes)).toBe(true);
    expect(wire.bytesRead).toBe(bytes.length);
  });

  it('hands on nothing before it is read', async () => {
    const { wire, record, peer } = await pair();
    peer.write('early');
    await settled({ wire, peer });
    expect(record.told).toEqual([]);
    wire.read();
    expect(await record.next(5)).toBe('early');
  });

  it('hands on nothing more once it is stopped within a read, and goes on where it stopped', async () => {
    const { wire, record, peer } = await pair();
    const bytes = marked(2, 2 * MEBIBYTE);
    let reading = true;
    const late: number[] = [];
    record.onChunk = (chunk) => {
      if (!reading) late.push(chunk.length);
      reading = false;
      wire.stopReading();
    };
    peer.write(bytes);
    let length = 0;
    wire.read();
    while (length < bytes.length) {
      await record.received(length + 1);
      await settled({ wire, peer });
      // What was kept meanwhile is handed on within `read`.
      ({ length } = record.bytes);
      reading = true;
      wire.read();
    }
    expect(late).toEqual([]);
    expect(record.bytes.equals(bytes)).toBe(true);
  });

  it('hands on what was given back first of all, the last of it before the rest', async () => {
    const { wire, record, peer } = await pair();
    peer.write('c');
    wire.unread(Buffer.from('b'));
    wire.unread(Buffer.alloc(0));
    wire.unread(Buffer.from('a'));
    expect(record.told).toEqual([]);
    wire.read();
    expect(record.text).toBe('ab');
    expect(await record.next(3)).toBe('abc');
  });

  it('hands on only as much of what was given back as is asked for', async () => {
    const { wire, record, peer } = await pair();
    record.onChunk = () => wire.stopReading();
    for (const part of ['b', 'a']) wire.unread(Buffer.from(part));
    wire.read();
    expect(record.text).toBe('a');
    wire.read();
    expect(record.text).toBe('ab');
    peer.write('c');
    wire.read();
    expect(await record.next(3)).toBe('abc');
  });

  it('takes bytes back while it hands them on', async () => {
    const { wire, record, peer } = await pair();
    record.onChunk = (chunk) => {
      record.onChunk = undefined;
      wire.stopReading();
      wire.unread(Buffer.from(chunk.subarray(1)));
    };
    peer.write('xyz');
    wire.read();
    await record.saw('bytes');
    wire.read();
    expect(await record.received(5)).toEqual(Buffer.from('xyzyz'));
    expect(wire.bytesRead).toBe(3);
  });

  it('begins to hand on nothing before its reader is done with what it has', async () => {
    const { wire, record, peer } = await pair();
    const order: string[] = [];
    record.onChunk = (chunk) => {
      const text = chunk.toString('latin1');
      order.push(`(${text}`);
      // As a data path does whose writer waited and went on within one callback.
      wire.stopReading();
      wire.read();
      order.push(')');
    };
    for (const part of ['c', 'b', 'a']) wire.unread(Buffer.from(part));
    wire.read();
    expect(order.join('')).toBe('(a)(b)(c)');
    peer.write('d');
    expect(await record.next(4)).toBe('abcd');
    expect(order.join('')).toBe('(a)(b)(c)(d)');
  });

  it('hands on what was given back while it was handed on, once its reader is done', async () => {
    const { wire, record, peer } = await pair();
    const order: string[] = [];
    record.onChunk = (chunk) => {
      const text = chunk.toString('latin1');
      order.push(`(${text}`);
      if (text === 'xyz') {
        wire.unread(Buffer.from('z'));
        wire.unread(Buffer.from('y'));
        wire.stopReading();
        wire.read();
      }
      order.push(')');
    };
    wire.read();
    peer.write('xyz');
    await record.received(5);
    expect(order.join('')).toBe('(xyz)(y)(z)');
  });

  it('leaves what it hands on as it is when it is probed within', async () => {
    const { wire, record, peer } = await pair();
    const changed: number[] = [];
    record.onChunk = (chunk) => {
      const before = Buffer.from(chunk);
      wire.probe();
      if (!before.equals(chunk)) changed.push(chunk.length);
    };
    const bytes = marked(6, MEBIBYTE);
    peer.write(bytes);
    wire.read();
    expect((await record.received(bytes.length)).equals(bytes)).toBe(true);
    expect(changed).toEqual([]);
  });

  it('keeps at most what one read takes while it is watched, and hands it on first', async () => {
    const { wire, record, peer } = await pair();
    const bytes = marked(3, 16 * MEBIBYTE);
    wire.watch();
    peer.write(bytes);
    await settled({ wire, peer }, 50);
    expect(record.told).toEqual([]);
    expect(wire.bytesRead).toBeLessThanOrEqual(ONE_READ);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    wire.read();
    expect((await record.received(bytes.length)).equals(bytes)).toBe(true);
  });

  it.each(['before', 'after'])('hands on what was given back %s it kept what came, first', async (when) => {
    const { wire, record, peer } = await pair();
    wire.watch();
    if (when === 'before') wire.unread(Buffer.from('first '));
    peer.write('second');
    await settled({ wire, peer });
    if (when === 'after') wire.unread(Buffer.from('first '));
    wire.read();
    expect(await record.next(12)).toBe('first second');
  });

  it('hands on the rest of what it handed on before what waits behind that', async () => {
    const { wire, record } = await pair();
    wire.unread(Buffer.from(' second'));
    wire.unread(Buffer.from('one first'));
    record.onChunk = (chunk) => {
      record.onChunk = undefined;
      wire.stopReading();
      wire.unread(Buffer.from(chunk.subarray(4)));
    };
    wire.read();
    wire.read();
    expect(record.text).toBe('one firstfirst second');
  });

  it('can be watched again and again without losing or telling anything', async () => {
    const { wire, record, peer } = await pair();
    for (const part of ['one ', 'two ', 'three']) {
      wire.watch();
      peer.write(part);
      await settled({ wire, peer });
      wire.stopReading();
    }
    expect(record.told).toEqual([]);
    wire.read();
    expect(await record.next(13)).toBe('one two three');
  });

  if (over !== 'unix') {
    it('notices a reset while it is watched', async () => {
      const { wire, record, peer } = await pair();
      await settled({ wire, peer });
      wire.watch();
      peer.reset();
      await record.saw('closed');
      expect(record.told).toEqual(['closed']);
      expect(record.error).toMatchObject({ code: 'ECONNRESET' });
      expect(wire.closed).toBe(true);
    });
  }

  it.each(['watched', 'stopped'])('tells the end of the peer only when it is read again, if it is %s', async (how) => {
    const { wire, record, peer } = await pair();
    if (how === 'watched') wire.watch();
    else wire.stopReading();
    peer.end();
    await settled({ wire, peer });
    expect(record.told).toEqual([]);
    wire.read();
    await record.saw('end');
    expect(record.told).toEqual(['end']);
  });

  it('tells the end behind the bytes that were kept and those that were given back', async () => {
    const { wire, record, peer } = await pair();
    wire.watch();
    wire.unread(Buffer.from('back '));
    peer.end('last');
    await settled({ wire, peer });
    expect(record.told).toEqual([]);
    wire.read();
    expect(await record.all()).toBe('back last');
    expect(record.told).toEqual(['bytes', 'end']);
  });

  it('tells whoever is attached last', async () => {
    const { wire, record, peer } = await pair();
    wire.read();
    peer.write('one');
    await record.received(3);
    const other = recordOf(wire);
    peer.end('two');
    expect(await other.all()).toBe('two');
    wire.terminate();
    await other.saw('closed');
    expect(record.told).toEqual(['bytes']);
  });

  // A stream of somebody else's has none.
  if (transport.foreign !== true) {
    it('knows the addresses of both ends, also when it is closed', async () => {
      const { wire, record, peer } = await pair();
      const { localPort = 0, remotePort = 0 } = peer.socket;
      const expected =
        over === 'unix'
          ? { remoteAddress: '', remotePort: 0, localAddress: '', localPort: 0 }
          : {
              remoteAddress: '127.0.0.1',

              remotePort: localPort,
              localAddress: '127.0.0.1',
              localPort: remotePort,
            };
      expect(wire.addresses).toEqual(expected);
      expect(wire.tls !== undefined).toBe(over === 'tls');
      wire.terminate();
      await record.saw('closed');
      expect(wire.addresses).toEqual(expected);
    });
  }

  it('may be stopped and read again many times without a read being told twice', async () => {
    const { wire, record, peer } = await pair();
    for (let n = 0; n < 50; n += 1) {
      wire.read();
      wire.read();
      wire.stopReading();
      wire.watch();
    }
    peer.write('once');
    wire.read();
    await record.received(4);
    await settled({ wire, peer });
    await eventually(() => wire.bytesRead === 4, 'it was read');
    expect(record.text).toBe('once');
  });
});
