/** Owns the waits of an open connection through the public API: heartbeat, idle timeout, lifetime (P8, P9). */
import { describe, expect, it } from 'vitest';
import { Opcode, type RawClient } from '../support/raw-client.js';
import { QuietReceiver, receiverFactory } from '../support/recording-receiver.js';
import { startProxy, startReceivers, startUpstream } from './stage.js';

/** Answers a number of pings, as every client does. */
async function answerPings(client: RawClient, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const { payload } = await client.nextFrame(Opcode.Ping);
    client.sendFrame({ opcode: Opcode.Pong, payload });
  }
}

describe('the heartbeat', () => {
  it('pings a client every interval, and keeps one that answers', async () => {
    const { server, open } = await startReceivers({ heartbeat: { interval: 30, timeout: 5000 } });
    const client = await open();
    await answerPings(client, 3);
    expect(server.connections).toHaveLength(1);
  });

  it('terminates a client that answers nothing, and reports 1006 (P9)', async () => {
    const receivers = receiverFactory(() => new QuietReceiver());
    const { open, events } = await startReceivers({
      heartbeat: { interval: 30, timeout: 30 },
      receiver: receivers.create,
    });
    const client = await open();
    await client.waitForEnd();
    expect(client.received.map(({ opcode }) => opcode)).toEqual([Opcode.Ping]);
    expect(await events.reports.next()).toMatchObject({ initiator: 'network', cause: 'HEARTBEAT_LOST', status: 1006 });
    expect((await receivers.nextReceiver()).names).toEqual(['upgrade', 'open', 'closed']);
  });

  it('with if-idle pings no client that talks', async () => {
    const { open } = await startReceivers({ heartbeat: { interval: 200, timeout: 5000, mode: 'if-idle' } });
    const client = await open();
    const begun = performance.now();
    while (performance.now() - begun < 500) {
      client.sendPing();
      await client.nextFrame(Opcode.Pong);
    }
    expect(client.received.filter(({ opcode }) => opcode === Opcode.Ping)).toEqual([]);
    // Once it is silent it is pinged.
    await client.nextFrame(Opcode.Ping);
  });

  it('asks onBeforeHeartbeat, and sends no ping when that sent something of its own', async () => {
    const receivers = receiverFactory(
      () =>
        new QuietReceiver({
          onBeforeHeartbeat: ({ connection, entries }) => {
            if (entries.length > 4) return;
            connection.send('tick');
            return true;
          },
        }),
    );
    const { open } = await startReceivers({ heartbeat: { interval: 30, timeout: 5000 }, receiver: receivers.create });
    const client = await open();
    for (const expected of ['tick', 'tick']) {
      expect(await client.nextText()).toBe(expected);
      client.sendText('tock');
    }
    await client.nextFrame(Opcode.Ping);
    expect(client.received.map(({ opcode }) => opcode)).toEqual([Opcode.Text, Opcode.Text, Opcode.Ping]);
  });

  it('terminates a WebSocket target that answers nothing, and the client gets 1011 (P9)', async () => {
    const target = await startUpstream();
    const { open, events } = await startProxy({
      target: target.url,
      heartbeat: { interval: 40, timeout: 40 },
      timeouts: { close: 100 },
    });
    const client = await open();
    const pings = answerPings(client, 1000).catch(() => {});
    expect((await events.reports.next()).cause).toBe('HEARTBEAT_LOST');
    await pings;
    const close = client.received.find(({ opcode }) => opcode === Opcode.Close);
    expect(close?.payload.readUInt16BE(0)).toBe(1011);
  });

  it('hides its pongs from the target, and passes on every other (P2)', async () => {
    const target = await startUpstream();
    const { open } = await startProxy({ target: target.url, heartbeat: { interval: 30, timeout: 5000 } });
    const client = await open();
    const upstream = await target.nextConnection();
    await answerPings(client, 2);
    client.sendPong('mine');
    expect((await upstream.nextFrame(Opcode.Pong)).payload.toString()).toBe('mine');
    // What the target got beside it are the pings of its own heartbeat.
    expect(upstream.received.filter(({ opcode }) => opcode === Opcode.Pong)).toHaveLength(1);
  });

  it('suspends a client that is paused, and judges it only after it is read again (P9)', async () => {
    const { server, open } = await startReceivers({ heartbeat: { interval: 30, timeout: 30 } });
    const client = await open();
    const connection = server.connection('conn-1')!;
    connection.pause();
    expect(connection.snapshot().chart).toEqual({
      open: { outbound: 'flowing', inbound: 'paused', liveness: 'suspended' },
    });
    // Many intervals, measured by another connection that is pinged meanwhile.
    await answerPings(await open(), 8);
    expect(connection.state).toBe('open');
    expect(client.received).toEqual([]);
    connection.resume();
    expect(connection.snapshot().chart).toEqual({
      open: { outbound: 'flowing', inbound: 'reading', liveness: 'alive' },
    });
    await client.waitForEnd();
  });
});

describe('timeouts.idle', () => {
  it('closes a connection that carries nothing with 1001', async () => {
    const { open, events } = await startReceivers({ timeouts: { idle: 60 } });
    const client = await open();
    expect(await client.answerClose()).toMatchObject({ code: 1001, reason: 'idle timeout' });
    expect(await events.reports.next()).toMatchObject({ initiator: 'proxy', cause: 'IDLE_TIMEOUT', status: 1001 });
  });

  it('is not put off by pings, but by messages in either direction', async () => {
    const { server, open, events } = await startReceivers({ timeouts: { idle: 400 } });
    const client = await open();
    const begun = performance.now();
    while (performance.now() - begun < 700) {
      client.sendText('busy');
      server.send('conn-1', 'busy, too');
      await client.nextText();
    }
    expect(events.reports.all).toEqual([]);
    for (;;) {
      client.sendPing();
      if ((await client.nextFrame()).opcode === Opcode.Close) break;
    }
    expect(performance.now() - begun).toBeGreaterThan(1000);
  });

  it('asks onIdleTimeout, keeps the connection for another such time, and closes when it says no', async () => {
    let left = 2;
    const receivers = receiverFactory(
      () =>
        new QuietReceiver({
          onIdleTimeout: () => {
            left -= 1;
            return left >= 0;
          },
        }),
    );
    const { open } = await startReceivers({ timeouts: { idle: 40 }, receiver: receivers.create });
    const client = await open();
    expect((await client.answerClose()).code).toBe(1001);
    const receiver = await receivers.nextReceiver();
    await receiver.waitFor('closed');
    expect(receiver.names).toEqual(['upgrade', 'open', 'idleTimeout', 'idleTimeout', 'idleTimeout', 'closed']);
  });

  it('asks nobody once the connection is closing (P1)', async () => {
    const receivers = receiverFactory(
      () => new QuietReceiver({ onOpen: (_, { connection }) => connection.close(), onIdleTimeout: () => true }),
    );
    const { open } = await startReceivers({ timeouts: { idle: 20, close: 300 }, receiver: receivers.create });
    const client = await open();
    await client.expectClose();
    const receiver = await receivers.nextReceiver();
    await receiver.waitFor('closed');
    expect(receiver.names).toEqual(['upgrade', 'open', 'closed']);
  });

  it('counts a callback that is at work as no idleness', async () => {
    const gate = new AbortController();
    const receivers = receiverFactory({
      onText: () => new Promise((resolve) => gate.signal.addEventListener('abort', () => resolve(undefined))),
    });
    const { open, server } = await startReceivers({ timeouts: { idle: 30 }, receiver: receivers.create });
    const busy = await open();
    busy.sendText('work');
    await (await receivers.nextReceiver()).waitFor('text');
    // Another connection is idle for the same time meanwhile.
    await (await open()).answerClose();
    expect(server.connection('conn-1')?.state).toBe('open');
    gate.abort();
    expect((await busy.answerClose()).code).toBe(1001);
  });
});

describe('timeouts.lifetime', () => {
  it('closes with 1001 whatever the connection carries', async () => {
    const { open, events } = await startReceivers({ timeouts: { lifetime: 80, lifetimeJitter: 0 } });
    const client = await open();
    const begun = performance.now();
    for (;;) {
      client.sendPing();
      if ((await client.nextFrame()).opcode === Opcode.Close) break;
    }
    expect(performance.now() - begun).toBeGreaterThanOrEqual(75);
    client.sendClose(1001);
    expect(await events.reports.next()).toMatchObject({ cause: 'LIFETIME_EXCEEDED', status: 1001 });
  });

  it('takes off a random share, so that connections do not all end at once', async () => {
    const { open, events } = await startReceivers({ timeouts: { lifetime: 400, lifetimeJitter: 1 } });
    const clients = await Promise.all(Array.from({ length: 12 }, () => open()));
    await Promise.all(clients.map((client) => client.answerClose()));
    const durations = events.reports.all.map(({ durationMs }) => durationMs);
    expect(Math.max(...durations) - Math.min(...durations)).toBeGreaterThan(40);
    expect(new Set(events.reports.all.map(({ cause }) => cause))).toEqual(new Set(['LIFETIME_EXCEEDED']));
  });
});

describe('pause() and resume()', () => {
  it('stop and continue reading, and nothing is lost (P2)', async () => {
    const receivers = receiverFactory();
    const { open } = await startReceivers({ receiver: receivers.create });
    const client = await open();
    const receiver = await receivers.nextReceiver();
    await receiver.waitFor('open');
    const { connection } = receiver;
    connection.pause();
    connection.pause();
    for (let n = 0; n < 20; n += 1) client.sendText(`${n}`);
    await client.drained();
    // What another connection says arrives: the server is not asleep.
    (await open()).sendText('other');
    await (await receivers.nextReceiver()).waitFor('text');
    expect(receiver.entriesOf('text')).toEqual([]);
    connection.resume();
    for (let n = 0; n < 20; n += 1) expect(await receiver.waitFor('text')).toEqual(['text', `${n}`]);
  });

  it('do nothing unless they change something, and sending goes on meanwhile', async () => {
    const { server, open } = await startReceivers();
    const client = await open();
    const connection = server.connection('conn-1')!;
    connection.resume();
    connection.pause();
    expect(connection.send('hello')).toBe('accepted');
    expect(await client.nextText()).toBe('hello');
    connection.close(4000);
    expect((await client.answerClose()).code).toBe(4000);
    connection.pause();
    connection.resume();
  });

  it('may be asked for before the connection is open', async () => {
    const receivers = receiverFactory({ onUpgradeRequest: (_, { connection }) => void connection.pause() });
    const { open } = await startReceivers({ receiver: receivers.create });
    const client = await open();
    client.sendText('early');
    await client.drained();
    const receiver = await receivers.nextReceiver();
    await receiver.waitFor('open');
    expect(receiver.connection.snapshot().chart).toMatchObject({ open: { inbound: 'paused' } });
    receiver.connection.resume();
    expect(await receiver.waitFor('text')).toEqual(['text', 'early']);
  });
});
