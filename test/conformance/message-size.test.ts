/** Owns `limits.maxMessageBytes` on each way through a server: what passes, what is refused, and when. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWebSocket, type Pair, WAYS, Way, WEBSOCKET_WAYS } from '../fault/way.js';
import { type FramePeer, type FrameSpec, Opcode } from '../support/raw-client.js';

const LIMIT = 1000;
const server = { limits: { maxMessageBytes: LIMIT }, timeouts: { close: '5s' } } as const;

/** Three fragments that are this long together. */
function fragments(total: number): FrameSpec[] {
  return [
    { opcode: Opcode.Binary, payload: Buffer.alloc(400, 1), fin: false },
    { opcode: Opcode.Continuation, payload: Buffer.alloc(400, 2), fin: false },
    { opcode: Opcode.Continuation, payload: Buffer.alloc(total - 800, 3) },
  ];
}

function sendAll(peer: FramePeer, frames: readonly FrameSpec[]): void {
  peer.sendRaw(Buffer.concat(frames.map((frame) => peer.encode(frame))));
}

async function arrived(name: string, pair: Pair, bytes: number): Promise<number> {
  if (name === 'messages alone') return (await pair.receiver.waitFor('binary'))[1].length;
  if (name === 'frames' || name === 'messages to ws') return (await pair.upstream.nextBinary()).length;
  return (await pair.peer.read(bytes)).length;
}

async function refused(pair: Pair): Promise<void> {
  expect((await pair.client.expectClose()).code).toBe(1009);
  expect(await pair.client.waitForEnd()).toBe('fin');
}

describe.each(WAYS)('on the way "%s"', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name, { server });
  });
  afterAll(() => way.stop());

  it('a message of exactly the limit passes', async () => {
    const pair = await way.open();
    pair.client.sendBinary(Buffer.alloc(LIMIT, 7));
    expect(await arrived(name, pair, LIMIT)).toBe(LIMIT);
  });

  it('a fragmented message of exactly the limit passes, and each further message begins anew', async () => {
    const pair = await way.open();
    for (let round = 0; round < 3; round += 1) {
      sendAll(pair.client, fragments(LIMIT));
      expect(await arrived(name, pair, LIMIT)).toBe(LIMIT);
    }
  });

  it('one byte more is refused with 1009, and onClosed reports it', async () => {
    const pair = await way.open();
    pair.client.sendBinary(Buffer.alloc(LIMIT + 1, 7));
    await refused(pair);
    const [, status] = await pair.receiver.waitFor('closed');
    expect(status).toBe(1009);
  });

  it('fragments count together: one byte more over three of them is refused with 1009', async () => {
    const pair = await way.open();
    sendAll(pair.client, fragments(LIMIT + 1));
    await refused(pair);
  });

  it('P3: an announced size is refused before a byte of it comes', async () => {
    const pair = await way.open();
    pair.client.sendFrame({ opcode: Opcode.Binary, lengthOverride: LIMIT + 1 });
    await refused(pair);
  });

  it('P3: the announced size of a last fragment is refused before a byte of it comes', async () => {
    const pair = await way.open();
    pair.client.sendFrame({ opcode: Opcode.Text, payload: Buffer.alloc(600, 'a'), fin: false });
    pair.client.sendFrame({ opcode: Opcode.Continuation, lengthOverride: LIMIT - 600 + 1 });
    await refused(pair);
  });

  it('the limit is for clients and not for pings: control frames between fragments do not count', async () => {
    const pair = await way.open();
    const [first, second, third] = fragments(LIMIT);
    const ping = { opcode: Opcode.Pong, payload: Buffer.alloc(125) };
    sendAll(pair.client, [first!, ping, ping, second!, ping, ping, third!]);
    expect(await arrived(name, pair, LIMIT)).toBe(LIMIT);
  });
});

describe.each(WEBSOCKET_WAYS)('on the way "%s", from the target', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name, { server });
  });
  afterAll(() => way.stop());

  it('a message of exactly the limit passes', async () => {
    const { client, upstream } = await way.open();
    sendAll(upstream, fragments(LIMIT));
    expect((await client.nextBinary()).length).toBe(LIMIT);
  });

  it('one byte more is refused with 1009, and the client gets 1011', async () => {
    const { client, upstream } = await way.open();
    upstream.sendBinary(Buffer.alloc(LIMIT + 1));
    expect((await upstream.expectClose()).code).toBe(1009);
    upstream.end();
    expect((await client.answerClose()).code).toBe(1011);
  });

  it('P3: an announced size is refused before a byte of it comes', async () => {
    const { client, upstream } = await way.open();
    upstream.sendFrame({ opcode: Opcode.Binary, lengthOverride: 1 << 30 });
    expect((await upstream.expectClose()).code).toBe(1009);
    upstream.end();
    expect((await client.answerClose()).code).toBe(1011);
  });
});

describe.each(WAYS)('without a limit, on the way "%s"', (name) => {
  it('P2: a message of 3 MB passes whole', async () => {
    const way = await Way.start(name, { server: { limits: { maxMessageBytes: 0 } } });
    try {
      const pair = await way.open();
      pair.client.sendBinary(Buffer.alloc(3_000_000, 'tide'));
      expect(await arrived(name, pair, 3_000_000)).toBe(3_000_000);
      expect(isWebSocket(name) ? pair.upstream.ended : undefined).toBe(undefined);
    } finally {
      await way.stop();
    }
  });
});
