/** Owns when `limits.maxMessageBytes` is applied on each way: before a byte of the payload comes. The case table has the rest. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWebSocket, type Pair, WAYS, Way, WEBSOCKET_WAYS } from '../fault/way.js';
import { Opcode } from '../support/raw-client.js';

const LIMIT = 1000;
const server = { limits: { maxMessageBytes: LIMIT }, timeouts: { close: '5s' } } as const;

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

  it('a message of exactly the limit passes, and one byte more is refused', async () => {
    const pair = await way.open();
    pair.client.sendBinary(Buffer.alloc(LIMIT, 7));
    expect(await arrived(name, pair, LIMIT)).toBe(LIMIT);
    pair.client.sendBinary(Buffer.alloc(LIMIT + 1, 7));
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
});

describe.each(WEBSOCKET_WAYS)('on the way "%s", from the target', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name, { server });
  });
  afterAll(() => way.stop());

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
