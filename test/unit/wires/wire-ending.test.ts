/** Owns how a wire ends, over every transport: either direction, both, cut or reset, and what is ignored from then on. */
import { existsSync, readdirSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, waitForEvent } from '../../support/events.js';
import { marked, settled, TRANSPORTS, type Transport, type WirePair, wirePair } from '../../support/wires.js';

const MEBIBYTE = 2 ** 20;

/** Fills everything between the wire and a peer that does not read, so that bytes are left in the wire. */
function block({ wire, peer }: WirePair): number {
  peer.pauseReading();
  const bytes = marked(1, 16 * MEBIBYTE);
  expect(wire.write(bytes)).toBe(false);
  return bytes.length;
}

/** The file descriptors of this process; none where the system does not list them. */
function openNumbers(): number[] {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').map(Number) : [];
}

function descriptorOf(socket: Socket): number {
  const { _handle } = socket as unknown as { _handle: { fd: number } | null };
  return _handle?.fd ?? -1;
}

describe.each(TRANSPORTS.map((one) => [one.layer.kind, one.over, one] as const))('a %s wire over %s', (...row) => {
  const transport: Transport = row[2];
  const { over } = transport;
  const pair = () => wirePair(transport);

  it('sends its end behind everything that waits', async () => {
    const all = await pair();
    const { wire, peer } = all;
    const length = block(all);
    wire.write(Buffer.from('last'));
    wire.cork();
    wire.write(Buffer.from(' word'));
    wire.end();
    wire.uncork();
    peer.resumeReading();
    const bytes = await peer.readAll();
    expect(bytes.length).toBe(length + 9);
    expect(bytes.subarray(0, length).equals(marked(1, length))).toBe(true);
    expect(bytes.toString('latin1', length)).toBe('last word');
  });

  it('reads on after its own end, and is closed when the peer ends too', async () => {
    const { wire, record, peer, gone } = await pair();
    wire.write(Buffer.from('bye'));
    wire.end();
    expect((await peer.readAll()).toString()).toBe('bye');
    peer.write('one ');
    await record.received(4);
    expect(wire.closed).toBe(false);
    peer.end('two');
    await record.saw('closed');
    expect([record.text, record.told, record.error]).toEqual(['one two', ['bytes', 'end', 'closed'], undefined]);
    expect(wire.closed).toBe(true);
    await eventually(() => gone.length === 1, 'the observer is told');
  });

  it('writes on after the end of the peer', async () => {
    const { wire, record, peer } = await pair();
    wire.read();
    peer.end('bye');
    await record.saw('end');
    expect(wire.closed).toBe(false);
    expect(wire.write(marked(2, MEBIBYTE))).toBeTypeOf('boolean');
    expect((await peer.read(MEBIBYTE)).equals(marked(2, MEBIBYTE))).toBe(true);
    wire.end();
    await record.saw('closed');
    expect([record.told.filter((what) => what !== 'drain'), record.error]).toEqual([
      ['bytes', 'end', 'closed'],
      undefined,
    ]);
    expect(await peer.waitForEnd()).toBe('fin');
  });

  it('is closed when the peer ended unread, and it ends then', async () => {
    const { wire, record, peer } = await pair();
    wire.watch();
    peer.end();
    await settled({ wire, peer });
    wire.end();
    await record.saw('closed');
    expect(await peer.waitForEnd()).toBe('fin');
  });

  it('reads what was given back when it ends', async () => {
    const { wire, record } = await pair();
    wire.unread(Buffer.from('kept'));
    wire.end();
    expect(record.text).toBe('kept');
  });

  it('may be ended from within the callback that tells the end of the peer', async () => {
    const { wire, record, peer } = await pair();
    const told: string[] = [];
    wire.attach({
      onBytes: (chunk) => void wire.write(chunk),
      onEnd: () => {
        told.push('end');
        wire.end();
      },
      onDrain() {},
      onClosed: (error) => record.onClosed(error),
    });
    wire.read();
    peer.end('echo');
    expect((await peer.readAll()).toString()).toBe('echo');
    await record.saw('closed');
    expect([told, record.error]).toEqual([['end'], undefined]);
  });

  it('ignores a second end, and what is written behind the first', async () => {
    const { wire, record, peer } = await pair();
    wire.write(Buffer.from('first'));
    wire.end();
    wire.end();
    wire.cork();
    expect(wire.write(Buffer.from('late'))).toBe(true);
    wire.uncork();
    expect(wire.write(Buffer.alloc(100_000))).toBe(true);
    wire.probe();
    expect((await peer.readAll()).toString()).toBe('first');
    peer.end();
    await record.saw('closed');
    expect(record.error).toBe(undefined);
  });

  it('loses what was left when it is cut, and counts it', async () => {
    const all = await pair();
    const { wire, record, gone } = all;
    block(all);
    const left = wire.bufferedBytes;
    expect(left).toBeGreaterThan(0);
    wire.terminate();
    expect([wire.closed, wire.bufferedBytes]).toEqual([true, left]);
    await record.saw('closed');
    expect([wire.bufferedBytes, record.told, record.error]).toEqual([left, ['closed'], undefined]);
    await eventually(() => gone.length === 1, 'the observer is told');
    expect(gone).toEqual([{ wire, told: ['closed'] }]);
  });

  it('counts what was corked when it is cut, and does not send it', async () => {
    const { wire, record, peer } = await pair();
    wire.cork();
    wire.write(Buffer.from('corked'));
    wire.terminate();
    wire.uncork();
    expect(wire.bufferedBytes).toBe(6);
    await record.saw('closed');
    await peer.waitForEnd();
    expect([peer.bytesReceived, wire.bufferedBytes]).toEqual([0, 6]);
  });

  it('is told that it is closed once and last, however often and in whatever way it is ended', async () => {
    const { wire, record, peer, gone } = await pair();
    wire.read();
    peer.write('x');
    await record.received(1);
    wire.end();
    wire.terminate();
    wire.terminate();
    wire.end();
    wire.probe();
    wire.watch();
    wire.stopReading();
    wire.read();
    peer.end('y');
    await record.saw('closed');
    await eventually(() => gone.length > 0, 'the observer is told');
    await peer.waitForEnd();
    wire.read();
    expect([record.told, gone.length]).toEqual([['bytes', 'closed'], 1]);
  });

  it('hands on nothing more once it is cut, also of what was given back', async () => {
    const { wire, record, peer } = await pair();
    for (const part of ['two', 'one']) wire.unread(Buffer.from(part));
    peer.write(Buffer.alloc(MEBIBYTE));
    record.onChunk = () => wire.terminate();
    wire.read();
    await record.saw('closed');
    expect(record.text).toBe('one');
    wire.read();
    expect(record.told).toEqual(['bytes', 'closed']);
  });

  it('tells nothing more once it is cut, also not of bytes or an end that came unread', async () => {
    const all = await pair();
    const { wire, record, peer } = all;
    wire.watch();
    peer.write('unread');
    peer.end();
    await settled(all);
    wire.terminate();
    wire.read();
    await record.saw('closed');
    wire.read();
    wire.watch();
    wire.end();
    expect(record.told).toEqual(['closed']);
  });

  if (over !== 'unix') {
    it('is closed with the error when the peer resets', async () => {
      const { wire, record, peer } = await pair();
      wire.read();
      peer.write('x');
      await record.received(1);
      peer.reset();
      await record.saw('closed');
      expect(record.told).toEqual(['bytes', 'closed']);
      expect(record.error).toMatchObject({ code: 'ECONNRESET' });
    });
  }

  if (over !== 'unix') {
    it('counts what was left when the peer resets', async () => {
      const all = await pair();
      const { wire, record, peer } = all;
      await settled({ wire, peer });
      block(all);
      wire.read();
      peer.reset();
      await record.saw('closed');
      expect(record.error).toBeInstanceOf(Error);
      expect(wire.bufferedBytes).toBeGreaterThan(0);
    });
  }

  // An empty write over TLS swallows the error that it meets; there only reading finds a reset.
  // A stream of somebody else's has no socket to be asked.
  if (over === 'tcp' && transport.foreign !== true) {
    it('finds a reset by a probe when it is not read', async () => {
      const { wire, record, peer } = await pair();
      await settled({ wire, peer });
      wire.stopReading();
      wire.probe();
      wire.write(Buffer.from('.'));
      await peer.read(1);
      peer.reset();
      await eventually(() => {
        wire.probe();
        return wire.closed;
      }, 'the probe finds it');
      await record.saw('closed');
      expect(record.told).toEqual(['closed']);
      expect(record.error).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
    });
  }

  it('is not disturbed by a probe', async () => {
    const all = await pair();
    const { wire, record, peer } = all;
    wire.probe();
    await settled(all);
    const length = block(all);
    wire.probe();
    wire.cork();
    wire.write(Buffer.from('after'));
    wire.probe();
    wire.uncork();
    wire.end();
    wire.probe();
    peer.resumeReading();
    const bytes = await peer.readAll();
    expect(bytes.length).toBe(length + 5);
    expect(wire.closed).toBe(false);
    expect(record.told.filter((what) => what !== 'drain')).toEqual([]);
  });

  it('never writes to another socket that got its file descriptor', async () => {
    const { wire, record } = await pair();
    const server = net.createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await waitForEvent(server, 'listening');
    wire.cork();
    wire.write(Buffer.from('corked'));
    const before = openNumbers();
    wire.terminate();
    await record.saw('closed');
    const after = new Set(openNumbers());
    const freed = before.filter((number) => !after.has(number));
    const ends: Array<Promise<string>> = [];
    server.on('connection', (socket) => {
      ends.push(socket.toArray().then((chunks) => Buffer.concat(chunks).toString()));
      socket.end();
    });
    const others = Array.from({ length: 8 }, () => net.connect((server.address() as AddressInfo).port, '127.0.0.1'));
    await Promise.all(others.map((socket) => waitForEvent(socket, 'connect')));
    const reused = others.map(descriptorOf);
    // The system gives out the lowest free numbers.
    if (before.length > 0) expect(freed.filter((number) => reused.includes(number))).toHaveLength(1);
    wire.uncork();
    expect(wire.write(Buffer.from('stray'))).toBe(true);
    wire.probe();
    wire.end();
    for (const socket of others) socket.resume().end('own');
    await eventually(() => ends.length === others.length, 'all are accepted');
    expect(await Promise.all(ends)).toEqual(others.map(() => 'own'));
  });
});
