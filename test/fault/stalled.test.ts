/**
 * Owns resets that come while one side does not read, so that the proxy does not read from the other one and cannot see
 * its end: both legs are released all the same (P3, P7, P8).
 */
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectQuiet, holdings, openDescriptors } from '../support/descriptors.js';
import { eventually } from '../support/events.js';
import { emptied } from './running.js';
import { isWebSocket, type Pair, PROXY_WAYS, Way } from './way.js';

const CHUNK = Buffer.alloc(1_000_000, 'x');
const CHUNKS = 24;

/** Resolves when nothing of what waits in this socket has moved for a while: every buffer on the way is full. */
function stalled(socket: Socket): Promise<void> {
  let last = 0;
  let same = 0;
  return eventually(() => {
    same = socket.writableLength === last ? same + 1 : 0;
    last = socket.writableLength;
    return last > 0 && same > 70;
  }, 'the way is full');
}

/** Sends from the client until nothing moves any more. */
async function fillFromClient({ client }: Pair): Promise<void> {
  for (let count = 0; count < CHUNKS; count += 1) client.sendBinary(CHUNK);
  await stalled(client.socket);
}

/** Sends from the target until nothing moves any more. */
async function fillFromTarget(name: string, pair: Pair): Promise<void> {
  const webSocket = name === 'frames' || name === 'messages to ws';
  for (let count = 0; count < CHUNKS; count += 1) {
    if (webSocket) pair.upstream.sendBinary(CHUNK);
    else pair.peer.write(CHUNK);
  }
  await stalled((webSocket ? pair.upstream : pair.peer).socket);
}

describe.each(PROXY_WAYS)('on the way "%s"', (name) => {
  const farOf = (pair: Pair) => (isWebSocket(name) ? pair.upstream : pair.peer);

  async function connect(): Promise<{ way: Way; pair: Pair; released(): Promise<void> }> {
    const way = await Way.start(name, { server: { timeouts: { close: 200 } } });
    onTestFinished(() => way.stop());
    const first = await way.open();
    first.client.reset();
    farOf(first).destroy();
    await emptied(way.running.server);
    const before = holdings();
    const pair = await way.open();
    const released = async () => {
      await emptied(way.running.server);
      pair.client.destroy();
      // The target's own end is still open, and does not read: the proxy's end of it has to be gone all the same.
      const sockets = (before.descriptors?.sockets ?? 0) + 1;
      await eventually(() => (openDescriptors()?.sockets ?? 0) <= sockets, 'the leg to the target is released');
      farOf(pair).destroy();
      await expectQuiet(before);
    };
    return { way, pair, released };
  }

  it('a client that resets while the target reads nothing, and the client is not read: both legs are released', async () => {
    const { pair, released } = await connect();
    farOf(pair).pauseReading();
    await fillFromClient(pair);
    pair.client.reset();
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    await released();
  });

  it('a client that resets after it was told to wait only a little: both legs are released', async () => {
    const { pair, released } = await connect();
    farOf(pair).pauseReading();
    pair.client.sendBinary(CHUNK);
    await pair.client.drained();
    pair.client.reset();
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    await released();
  });

  it('a target that resets while the client reads nothing, and the target is not read: both legs are released', async () => {
    const { pair, released } = await connect();
    pair.client.pauseReading();
    await fillFromTarget(name, pair);
    farOf(pair).reset();
    const [, status] = await pair.receiver.waitFor('closed');
    expect([1006, 1011]).toContain(status);
    await released();
  });

  it('a client that resets while the client itself reads nothing of a flood: both legs are released', async () => {
    const { pair, released } = await connect();
    pair.client.pauseReading();
    await fillFromTarget(name, pair);
    pair.client.reset();
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    await released();
  });

  it('a target that resets while it reads nothing of a flood: both legs are released', async () => {
    const { pair, released } = await connect();
    farOf(pair).pauseReading();
    await fillFromClient(pair);
    farOf(pair).reset();
    pair.client.discard();
    await pair.receiver.waitFor('closed');
    await released();
  });

  it.each(['client', 'target'])(
    'a %s that resets while floods stand both ways: both legs are released',
    async (who) => {
      const { pair, released } = await connect();
      pair.client.pauseReading();
      farOf(pair).pauseReading();
      await Promise.all([fillFromClient(pair), fillFromTarget(name, pair)]);
      (who === 'client' ? pair.client : farOf(pair)).reset();
      await pair.receiver.waitFor('closed');
      await released();
    },
  );
});
