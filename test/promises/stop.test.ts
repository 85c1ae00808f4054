/** Owns promise P7: `disconnectAll` keeps listening, and after `stop` nothing is left of a server. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ProxyServer, ReceiverServer } from '../../src/index.js';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { eventually } from '../support/events.js';
import { RawClient } from '../support/raw-client.js';
import { RecordingReceiver } from '../support/recording-receiver.js';
import { connectTcp, refusedPort, TcpPeer } from '../support/tcp-peer.js';
import { everySetup, proxySetups, Stage, withoutTarget } from './setups.js';

const OPTIONS = { timeouts: { close: 1000, drain: 2000 } };

function bare(): ReceiverServer {
  return new ReceiverServer({ listen: '127.0.0.1:0', receiver: () => new RecordingReceiver() });
}

// What is opened once for the whole process belongs before the first look at what it holds.
beforeAll(async () => {
  const server = bare();
  const [address] = await server.start();
  const client = await RawClient.open({ port: address!.port });
  await Promise.all([client.answerClose(), server.stop()]);
  await refusedPort();
});

describe.each(everySetup)('P7: disconnectAll on $name', (setup) => {
  it('P7: closes every client with 1001 and takes new ones', async () => {
    const stage = await Stage.start(setup, OPTIONS);
    const pairs = [await stage.open(), await stage.open(), await stage.open()];
    const ends = pairs.flatMap(({ client, target }) => [client.answerClose(), target.answer()]);
    expect(await stage.server.disconnectAll()).toBe(3);
    for (const end of await Promise.all(ends)) if (end !== undefined) expect(end).toMatchObject({ code: 1001 });
    await stage.until(({ reports }) => reports.length === 3);
    expect(stage.told.reports.every(({ initiator }) => initiator === 'operator')).toBe(true);
    expect(stage.server.state).toBe('running');
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    receiver.connection.send('new');
    expect(await client.nextText()).toBe('new');
    expect(await stage.server.disconnectAll()).toBe(1);
    expect((await client.expectClose()).code).toBe(1001);
  });

  it('P7: terminateAll cuts every client, and takes new ones', async () => {
    const stage = await Stage.start(setup, OPTIONS);
    const clients = [await stage.openClient(), await stage.openClient()];
    await eventually(() => stage.server.connections.length === 2, 'both are open');
    expect(stage.server.terminateAll()).toBe(2);
    await Promise.all(clients.map((client) => client.waitForEnd()));
    expect(clients.flatMap(({ received }) => received)).toEqual([]);
    await stage.openClient();
  });

  it('P7: leaves nothing behind after stop, whatever the connections were doing', async () => {
    const before = holdings();
    const stage = await Stage.start(setup, OPTIONS);
    const idle = await stage.open();
    const paused = await stage.open();
    const throttled = await stage.open();
    await Promise.all([idle, paused, throttled].map(({ receiver }) => receiver.waitFor('open')));
    paused.receiver.connection.pause();
    throttled.client.pauseReading();
    while (!throttled.receiver.connection.throttled) throttled.receiver.connection.send(Buffer.alloc(100_000));
    const silent = await connectTcp({ port: stage.port });
    const stopped = stage.server.stop({ drainTimeout: 300 });
    const again = stage.server.stop();
    await Promise.all([stopped, again, idle.client.answerClose()]);
    expect(stage.server.state).toBe('stopped');
    expect(stage.server.snapshot()).toMatchObject({ connections: [], addresses: [] });
    expect(stage.told.reports).toHaveLength(3);
    silent.destroy();
    for (const { client } of [idle, paused, throttled]) client.destroy();
    await stage.upstream?.close();
    await stage.tcp?.close();
    await expectQuiet(before);
  });
});

describe.each(proxySetups)('P7: stop on $name', (setup) => {
  it('P7: ends a dial that is under way and leaves nothing behind', async () => {
    const before = holdings();
    const stage = await Stage.start(setup, { ...OPTIONS, upstream: { answer: 'nothing' } });
    const answer = RawClient.handshake({ port: stage.port }).then(({ status, client }) => {
      client?.destroy();
      return status;
    });
    await eventually(() => (stage.upstream?.peers ?? stage.tcp!.connections).length === 1, 'the target was dialled');
    await stage.server.stop({ drainTimeout: 200 });
    expect(await answer).toBe(setup.target === 'ws' ? 503 : 101);
    await stage.upstream?.close();
    await stage.tcp?.close();
    await expectQuiet(before);
  });
});

describe('P7: the life of a server', () => {
  it('P7: stopping one that never started, or twice, is nothing', async () => {
    const server = bare();
    await server.stop();
    await server.start();
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(server.state).toBe('stopped');
    await server.start();
    expect(server.state).toBe('running');
    await server.stop();
  });

  it('P7: stopping during start stops when it has started', async () => {
    const before = holdings();
    const server = bare();
    const starting = server.start();
    const stopping = server.stop();
    const [address] = await starting;
    await stopping;
    expect(server.state).toBe('stopped');
    await expect(connectTcp({ port: address!.port })).rejects.toThrow();
    await expectQuiet(before);
  });

  it('P7: starting twice is ALREADY_STARTED and leaves the first alone', async () => {
    const server = bare();
    const starting = server.start();
    await expect(server.start()).rejects.toMatchObject({ code: 'ALREADY_STARTED' });
    const [address] = await starting;
    await expect(server.start()).rejects.toMatchObject({ code: 'ALREADY_STARTED' });
    (await RawClient.open({ port: address!.port })).destroy();
    await server.stop();
  });

  it('P7: starting during stop starts when it has stopped', async () => {
    const server = bare();
    await server.start();
    const stopping = server.stop();
    const [address] = await server.start();
    await stopping;
    (await RawClient.open({ port: address!.port })).destroy();
    await server.stop();
  });

  it('P7: an address in use rejects with its code and leaves nothing open', async () => {
    const peer = await TcpPeer.start();
    const before = holdings();
    const server = new ProxyServer({ listen: ['127.0.0.1:0', `127.0.0.1:${peer.port}`] });
    await expect(server.start()).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    expect(server.state).toBe('stopped');
    await expectQuiet(before);
    await peer.close();
    await server.start();
    await server.stop();
  });

  it.each(everySetup)('P7: restart keeps the port and says 1012 with a delay on $name', async (setup) => {
    const stage = await Stage.start(setup, OPTIONS);
    const { port } = stage;
    const { client, target } = await stage.open();
    const [addresses, close] = await Promise.all([stage.server.restart(), client.answerClose(), target.answer()]);
    expect(addresses[0]?.port).toBe(port);
    expect(close.code).toBe(1012);
    expect(JSON.parse(close.reason)).toEqual({ retryAfterMs: expect.any(Number) });
    await stage.open();
  });

  it('P7: disconnectAll is paced, so that not all come back at once', async () => {
    const stage = await Stage.start(withoutTarget, { limits: { disconnectsPerSecond: 50 } });
    const clients = await Promise.all(Array.from({ length: 10 }, () => stage.openClient()));
    await eventually(() => stage.server.connections.length === 10, 'all are open');
    const told: number[] = [];
    const ends = clients.map((client) =>
      client.answerClose().then(({ code }) => {
        told.push(code);
      }),
    );
    const disconnecting = stage.server.disconnectAll();
    await ends[0];
    expect(stage.server.connections.length).toBeGreaterThan(0);
    expect(await disconnecting).toBe(10);
    await Promise.all(ends);
    expect(told).toEqual(Array(10).fill(1001));
  });

  it('P7: a slow pace does not hold up a stop beyond its deadline', async () => {
    const stage = await Stage.start(withoutTarget, {
      limits: { disconnectsPerSecond: 1 },
      timeouts: { drain: 6000, close: 6000 },
    });
    const clients = await Promise.all(Array.from({ length: 40 }, () => stage.openClient()));
    await eventually(() => stage.server.connections.length === 40, 'all are open');
    const ends = clients.map((client) => client.answerClose());
    await stage.server.stop();
    expect((await Promise.all(ends)).every(({ code }) => code === 1001)).toBe(true);
  });
});
