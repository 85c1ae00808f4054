/**
 * Owns traffic in very many pieces, where a WebSocket library may have limits of its own (ws: 16 384 fragments, 262 144
 * buffered chunks, 60 pongs that wait): here only the limits that are options exist, and they say what they do.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProxyServerOptions } from '../../src/index.js';
import { encodeFrame, type FramePeer, Opcode } from '../support/raw-client.js';
import { isWebSocket, type Pair, WAYS, Way, type WayName, WEBSOCKET_WAYS } from './way.js';

const LIBRARY_FRAGMENTS = 16_384;

async function connect(name: WayName, limits: ProxyServerOptions['limits']): Promise<Pair> {
  const way = await Way.start(name, { server: { limits } });
  onTestFinished(() => way.stop());
  return way.open();
}

/** A text message as frames of one character, or of none. */
function inFragments(count: number, masked: boolean, payload = 'x'): Buffer {
  const frames: Buffer[] = [];
  for (let index = 0; index < count; index += 1) {
    const opcode = index === 0 ? Opcode.Text : Opcode.Continuation;
    frames.push(encodeFrame({ opcode, payload, fin: index === count - 1, masked, maskKey: Buffer.from([1, 2, 3, 4]) }));
  }
  return Buffer.concat(frames);
}

/** How many bytes of the client's message arrived at the other end. */
async function arrived(name: WayName, pair: Pair, bytes: number): Promise<number> {
  if (name === 'messages alone') return (await pair.receiver.waitFor('text'))[1].length;
  if (isWebSocket(name)) return (await pair.upstream.nextText()).length;
  return (await pair.peer.read(bytes)).length;
}

describe.each(WAYS)('on the way "%s"', (name) => {
  it('a message in 20 000 fragments passes with maxFragments 0', async () => {
    const pair = await connect(name, { maxFragments: 0 });
    pair.client.sendRaw(inFragments(20_000, true));
    expect(await arrived(name, pair, 20_000)).toBe(20_000);
  });

  it('a message of as many fragments as maxFragments allows passes, and one more is refused with 1008', async () => {
    const pair = await connect(name, { maxFragments: LIBRARY_FRAGMENTS });
    pair.client.sendRaw(inFragments(LIBRARY_FRAGMENTS, true));
    expect(await arrived(name, pair, LIBRARY_FRAGMENTS)).toBe(LIBRARY_FRAGMENTS);
    pair.client.sendRaw(inFragments(20_000, true));
    expect((await pair.client.answerClose()).code).toBe(1008);
    if (isWebSocket(name)) pair.upstream.end();
    const [, status] = await pair.receiver.waitFor('closed');
    expect(status).toBe(1008);
  });

  it('empty fragments count as well', async () => {
    const pair = await connect(name, { maxFragments: 10 });
    pair.client.sendRaw(inFragments(11, true, ''));
    expect((await pair.client.answerClose()).code).toBe(1008);
    if (isWebSocket(name)) pair.upstream.end();
  });

  it('a thousand pings in a row are all answered, in order', async () => {
    const pair = await connect(name, {});
    const pings = Array.from({ length: 1000 }, (_, index) =>
      encodeFrame({ opcode: Opcode.Ping, payload: `${index}`, masked: true }),
    );
    pair.client.sendRaw(Buffer.concat(pings));
    if (isWebSocket(name)) await answerPings(pair.upstream, 1000);
    for (let index = 0; index < 1000; index += 1) {
      expect((await pair.client.nextFrame()).payload.toString()).toBe(`${index}`);
    }
    pair.client.sendText('still open');
    expect(await arrived(name, pair, 10)).toBe(10);
  });

  it('a thousand pings of a client that reads none of the answers do no harm', async () => {
    const pair = await connect(name, {});
    pair.client.pauseReading();
    const ping = encodeFrame({ opcode: Opcode.Ping, payload: Buffer.alloc(125, 'p'), masked: true });
    pair.client.sendRaw(Buffer.concat(Array<Buffer>(1000).fill(ping)));
    if (isWebSocket(name)) await answerPings(pair.upstream, 1000);
    pair.client.sendText('still open');
    expect(await arrived(name, pair, 10)).toBe(10);
    pair.client.resumeReading();
    for (let index = 0; index < 1000; index += 1) expect((await pair.client.nextFrame()).payload.length).toBe(125);
  });
});

describe('where messages are assembled', () => {
  it('P2, P3: a message of 300 000 bytes that come one by one passes, and takes no memory but its own', async () => {
    const size = 300_000;
    const pair = await connect('messages alone', {});
    const frame = encodeFrame({ opcode: Opcode.Text, payload: 'x'.repeat(size), masked: true });
    const before = heapBytes();
    for (let at = 0; at < frame.length - 1; at += 1) {
      pair.client.sendRaw(frame.subarray(at, at + 1));
      // The server reads in turns of the same event loop: what is written between two of them comes as one chunk.
      await nextTurn();
    }
    // An object for each byte would take more than a hundred times as much as the message.
    expect(heapBytes() - before).toBeLessThan(50 * size);
    pair.client.sendRaw(frame.subarray(-1));
    expect(await arrived('messages alone', pair, size)).toBe(size);
  }, 120_000);
});

describe.each(WEBSOCKET_WAYS)('on the way "%s", from the target', (name) => {
  it('a message in 20 000 fragments passes with maxFragments 0', async () => {
    const { client, upstream } = await connect(name, { maxFragments: 0 });
    upstream.sendRaw(inFragments(20_000, false));
    expect((await client.nextText()).length).toBe(20_000);
  });

  it('one fragment more than maxFragments is refused with 1008, and the client gets 1011', async () => {
    const { client, upstream } = await connect(name, { maxFragments: 100 });
    upstream.sendRaw(inFragments(101, false));
    expect((await upstream.expectClose()).code).toBe(1008);
    upstream.end();
    expect((await client.answerClose()).code).toBe(1011);
  });

  it('a thousand pings in a row reach the client, and its pongs come back', async () => {
    const { client, upstream } = await connect(name, {});
    const pings = Array.from({ length: 1000 }, (_, index) => encodeFrame({ opcode: Opcode.Ping, payload: `${index}` }));
    upstream.sendRaw(Buffer.concat(pings));
    await answerPings(client, 1000);
    for (let index = 0; index < 1000; index += 1) {
      expect((await upstream.nextFrame(Opcode.Pong)).payload.toString()).toBe(`${index}`);
    }
  });
});

/** What the objects of this process take, without garbage. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

async function answerPings(peer: FramePeer, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) peer.sendPong((await peer.nextFrame(Opcode.Ping)).payload);
}
