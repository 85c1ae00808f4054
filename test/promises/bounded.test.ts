/** Owns promise P3: a reader that stops slows its sender down and nobody else, and the server holds next to nothing for it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { heldMegabytes, residentMegabytes } from '../support/descriptors.js';
import { deferred, eventually } from '../support/events.js';
import { Opcode } from '../support/raw-client.js';
import { Flood, isIntact, MESSAGE_BYTES, readFlood, roundTrip, standstill } from './floods.js';
import {
  everySetup,
  messageSetups,
  type Pair,
  proxySetups,
  readPayload,
  Stage,
  tcpSetups,
  withoutTarget,
} from './setups.js';

const FLOOD_BYTES = 400 * 2 ** 20;
const MESSAGES = FLOOD_BYTES / MESSAGE_BYTES;
/** What one read of a socket takes at most. */
const READ_BYTES = 256 * 1024;

// What two hops of sockets may hold: a send and a receive buffer each, of at most some megabytes.
const ACCEPTED_AT_MOST = 64 * 2 ** 20;
const GROWTH_AT_MOST = 32;

beforeAll(() => {
  setFlagsFromString('--expose-gc');
  globalThis.gc = runInNewContext('gc') as typeof globalThis.gc;
});

interface Flooded {
  readonly flood: Flood;
  /** Messages that were read before the reader stopped. */
  readonly warm: number;
  /** Resolves when everything the sender took has left it. */
  readonly flooding: Promise<void>;
}

/** Floods a reader that stops reading, until the flood stands still. */
async function stall(stage: Stage, flood: Flood, reader: { pause(): void; read(messages: number): Promise<number> }) {
  const neighbour = await stage.open();
  const trip = () => roundTrip(neighbour, (bytes) => readPayload(neighbour.client, bytes));
  // What every connection and buffer costs once is not what this is about.
  const warm = 160;
  expect((await Promise.all([reader.read(warm), flood.send(warm)]))[0]).toBe(-1);
  await trip();
  reader.pause();
  const before = residentMegabytes();
  const flooding = flood.send(MESSAGES);
  await standstill(() => flood.accepted, trip);
  expect(residentMegabytes() - before).toBeLessThan(GROWTH_AT_MOST);
  expect((flood.accepted - warm) * MESSAGE_BYTES).toBeLessThan(ACCEPTED_AT_MOST);
  flood.stop();
  return { flood, warm, flooding } satisfies Flooded;
}

/** A ping and its pong, from whoever answers pings on this path. */
async function pingTrip({ client, target: { ws } }: Pair): Promise<void> {
  client.sendPing('still here');
  if (ws !== undefined) ws.sendPong((await ws.nextFrame(Opcode.Ping)).payload);
  await client.nextFrame(Opcode.Pong);
}

/** Reads everything that was sent meanwhile. */
async function catchUp({ flood, warm, flooding }: Flooded, read: (bytes: number) => Promise<Buffer>): Promise<void> {
  const damaged = readFlood(read, warm, flood.accepted - warm);
  await flooding;
  expect(await damaged).toBe(-1);
}

describe.each(proxySetups)('P3: memory is bounded on $name', (setup) => {
  it('P3: a client that stops reading slows the target down, and gets everything when it reads again', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    const read = (bytes: number) => readPayload(client, bytes);
    const flooded = await stall(stage, Flood.fromTarget(target), {
      pause: () => client.pauseReading(),
      read: (messages) => readFlood(read, 0, messages),
    });
    await receiver.waitFor('throttled');
    // The high water mark, and what one read of the target's socket made, or one message.
    expect(receiver.connection.bufferedBytes).toBeLessThanOrEqual(64 * 1024 + Math.max(READ_BYTES, 2 * MESSAGE_BYTES));
    client.resumeReading();
    await catchUp(flooded, read);
  });

  it('P3: a target that stops reading slows the client down, and gets everything when it reads again', async () => {
    const stage = await Stage.start(setup);
    const { client, target } = await stage.open();
    const read = (bytes: number) => target.read(bytes);
    const flooded = await stall(stage, Flood.fromClient(client), {
      pause: () => target.connection.pauseReading(),
      read: (messages) => readFlood(read, 0, messages),
    });
    target.connection.resumeReading();
    await catchUp(flooded, read);
  });
});

describe.each(everySetup)('P3: a pause is bounded on $name', (setup) => {
  it('P3: a connection paused by the application slows the client down, and goes on where it was', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    const other = await stage.open();
    receiver.connection.pause();
    const flood = Flood.fromClient(client);
    const flooding = flood.send(MESSAGES);
    await standstill(
      () => flood.accepted,
      () => pingTrip(other),
    );
    expect(flood.accepted * MESSAGE_BYTES).toBeLessThan(ACCEPTED_AT_MOST);
    expect(receiver.connection.snapshot().received.bytes).toBe(0);
    flood.stop();
    receiver.connection.resume();
    if (setup.target === 'none') {
      await eventually(() => receiver.entriesOf('binary').length === flood.accepted, 'every message was delivered');
      expect(receiver.entriesOf('binary').every(([, data], index) => isIntact(data, index))).toBe(true);
    } else expect(await readFlood((bytes) => target.read(bytes), 0, flood.accepted)).toBe(-1);
    await flooding;
  });
});

describe.each([...tcpSetups, withoutTarget])('P3: pings on $name', (setup) => {
  it('P3: of a client that does not read its pongs do not pile up, and the last one is answered', async () => {
    const stage = await Stage.start(setup);
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    const ping = (payload: Buffer | string) => client.encode({ opcode: Opcode.Ping, payload });
    const pings = Buffer.concat(Array.from({ length: 500 }, () => ping(Buffer.alloc(125))));
    const flood = async (bytes: number) => {
      for (let sent = 0; sent < bytes; sent += pings.length) {
        client.sendRaw(pings);
        await client.drained();
      }
    };
    client.pauseReading();
    await flood(8 * 2 ** 20);
    // Resident memory would be that of the young generation too, which grows with what comes and goes.
    const before = await heldMegabytes();
    await flood(64 * 2 ** 20);
    expect((await heldMegabytes()) - before).toBeLessThan(GROWTH_AT_MOST);
    client.sendRaw(ping('the last one'));
    client.sendText('behind it');
    await eventually(() => receiver.connection.snapshot().received.messages === 1, 'everything was read');
    expect(receiver.connection.bufferedBytes).toBeLessThan(2 ** 20);
    client.resumeReading();
    await eventually(() => client.received.at(-1)?.payload.toString() === 'the last one', 'the last pong came');
  });
});

describe.each(messageSetups)('P3: callbacks that take long on $name', (setup) => {
  it('P3: slow the client down, and no more than maxPendingMessages and one read wait', async () => {
    const hold = deferred();
    const stage = await Stage.start(setup, {
      limits: { maxPendingMessages: 4 },
      callbacks: { onBinary: () => hold.promise.then(() => undefined) },
    });
    const pair = await stage.open();
    const { client, target, receiver } = pair;
    const other = await stage.open();
    const flood = Flood.fromClient(client);
    const flooding = flood.send(MESSAGES);
    await standstill(
      () => flood.accepted,
      () => pingTrip(other),
    );
    expect(flood.accepted * MESSAGE_BYTES).toBeLessThan(ACCEPTED_AT_MOST);
    expect(receiver.entriesOf('binary')).toHaveLength(1);
    // Four messages that wait, and what the read that brought the last of them took.
    expect(receiver.connection.snapshot().received.bytes).toBeLessThanOrEqual(4 * MESSAGE_BYTES + READ_BYTES);
    flood.stop();
    hold.resolve();
    if (setup.target === 'none') {
      await eventually(() => receiver.entriesOf('binary').length === flood.accepted, 'every message was delivered');
    } else expect(await readFlood((bytes) => target.read(bytes), 0, flood.accepted)).toBe(-1);
    await flooding;
    expect(receiver.overlapping).toEqual([]);
  });
});
