/** Owns how pings and pongs are answered or passed on, on each way through a server (RFC 6455 sections 5.5.2 and 5.5.3). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWebSocket, WAYS, Way, WEBSOCKET_WAYS } from '../fault/way.js';
import { type FramePeer, Opcode } from '../support/raw-client.js';

const PAYLOADS = [
  ['without payload', Buffer.alloc(0)],
  ['with a text', Buffer.from('are you there?')],
  ['with bytes that are no text', Buffer.from([0xff, 0x00, 0x80])],
  ['with 125 bytes', Buffer.alloc(125, 0x7f)],
] as const;

/** Sends a ping from one end, answers it at the other end if it arrives there, and gives the payload of the pong. */
async function echoed(from: FramePeer, to: FramePeer | undefined, payload: Buffer): Promise<Buffer> {
  from.sendPing(payload);
  if (to !== undefined) to.sendPong((await to.nextFrame(Opcode.Ping)).payload);
  return (await from.nextFrame(Opcode.Pong)).payload;
}

/** The payloads of all data frames, as soon as a final one came. */
async function dataUpToTheEnd(peer: FramePeer): Promise<string> {
  for (;;) {
    const frame = await peer.nextFrame();
    if (frame.opcode <= Opcode.Binary && frame.fin) break;
  }
  return peer.received
    .filter((frame) => frame.opcode <= Opcode.Binary)
    .map((frame) => frame.payload.toString())
    .join('');
}

describe.each(WAYS)('on the way "%s"', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name);
  });
  afterAll(() => way.stop());

  for (const [what, payload] of PAYLOADS) {
    it(`a ping of the client ${what} gets its pong, from the target where that speaks WebSocket`, async () => {
      const pair = await way.open();
      expect(await echoed(pair.client, isWebSocket(name) ? pair.upstream : undefined, payload)).toEqual(payload);
    });
  }

  it('a ping between the fragments of a message gets its pong before the message ends', async () => {
    const pair = await way.open();
    pair.client.sendFrame({ opcode: Opcode.Text, payload: 'one', fin: false });
    expect(await echoed(pair.client, isWebSocket(name) ? pair.upstream : undefined, Buffer.from('now'))).toEqual(
      Buffer.from('now'),
    );
    pair.client.sendFrame({ opcode: Opcode.Continuation, payload: 'two' });
    if (isWebSocket(name)) expect(await dataUpToTheEnd(pair.upstream)).toBe('onetwo');
    else if (name === 'messages alone') expect(await pair.receiver.waitFor('text')).toEqual(['text', 'onetwo']);
    else expect((await pair.peer.read(6)).toString()).toBe('onetwo');
  });

  it('pings in a row get their pongs in the same order', async () => {
    const pair = await way.open();
    const far = isWebSocket(name) ? pair.upstream : undefined;
    const numbers = Array.from({ length: 20 }, (_, index) => `${index}`);
    pair.client.sendRaw(Buffer.concat(numbers.map((payload) => pair.client.encode({ opcode: Opcode.Ping, payload }))));
    for (const _ of far === undefined ? [] : numbers) far?.sendPong((await far.nextFrame(Opcode.Ping)).payload);
    for (const number of numbers) expect((await pair.client.nextFrame(Opcode.Pong)).payload.toString()).toBe(number);
  });
});

describe.each(WEBSOCKET_WAYS)('on the way "%s", from the target', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name);
  });
  afterAll(() => way.stop());

  for (const [what, payload] of PAYLOADS) {
    it(`a ping ${what} reaches the client, and its pong comes back`, async () => {
      const { client, upstream } = await way.open();
      expect(await echoed(upstream, client, payload)).toEqual(payload);
    });
  }

  it('a pong that nobody asked for reaches the client', async () => {
    const { client, upstream } = await way.open();
    upstream.sendPong('still here');
    expect((await client.nextFrame()).payload.toString()).toBe('still here');
  });
});
