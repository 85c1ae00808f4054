/** Owns promise P9: a peer that is gone is found by the heartbeat, and one that we do not listen to is never blamed. */
import { setTimeout as pace } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { type FramePeer, Opcode } from '../support/raw-client.js';
import { Flood } from './floods.js';
import { answerPings, everySetup, proxySetups, type Setup, Stage, withoutTarget, wsSetups } from './setups.js';

const HEARTBEAT = { interval: 120, timeout: 120 };

function pings(peer: FramePeer): string[] {
  return peer.received.filter(({ opcode }) => opcode === Opcode.Ping).map(({ payload }) => payload.toString('hex'));
}

/** Resolves after many heartbeats, as a neighbour counts them that answers its own. */
async function manyHeartbeats(stage: Stage): Promise<void> {
  const { client, target } = await stage.open();
  answerPings(client, target.ws);
  await eventually(() => pings(client).length >= 4, 'four heartbeats have passed');
  client.destroy();
}

async function start(setup: Setup, options = {}): Promise<Stage> {
  return await Stage.start(setup, { heartbeat: HEARTBEAT, timeouts: { close: 1000 }, ...options });
}

describe.each(everySetup)('P9: a client on $name', (setup) => {
  it('P9: that answers no ping is cut after one, without a Close, and reported as lost', async () => {
    const stage = await start(setup);
    const { client, target, receiver } = await stage.open();
    answerPings(target.ws);
    await client.waitForEnd();
    expect(client.received.map(({ opcode }) => opcode)).toEqual([Opcode.Ping]);
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'network',
      cause: 'HEARTBEAT_LOST',
      status: 1006,
      codeSent: undefined,
    });
    if (target.ws !== undefined) await eventually(() => closeCode(target.ws!) === 1011, 'the target was told');
    if (target.tcp !== undefined) await target.tcp.waitForEnd();
  });

  it('P9: that answers pings lives, and its pongs stay here', async () => {
    const stage = await start(setup);
    const { client, target, receiver } = await stage.open();
    answerPings(client, target.ws);
    await manyHeartbeats(stage);
    expect(receiver.connection.state).toBe('open');
    expect(new Set(pings(client)).size).toBe(1);
    if (target.ws !== undefined) {
      expect(target.ws.received.filter(({ opcode }) => opcode === Opcode.Pong)).toEqual([]);
      expect(pings(target.ws)[0]).not.toBe(pings(client)[0]);
    }
  });

  it('P9: tells how long the last pong took, each side for itself', async () => {
    const stage = await start(setup);
    const { client, target, receiver } = await stage.open();
    const roundTrips = () => {
      const { roundTripMs, upstreamRoundTripMs } = receiver.connection.snapshot();
      return [roundTripMs, upstreamRoundTripMs];
    };
    expect(roundTrips()).toEqual([undefined, undefined]);
    answerPings(client, target.ws);
    const sides = target.ws === undefined ? 1 : 2;
    await eventually(() => roundTrips().filter((ms) => ms !== undefined).length === sides, 'pongs came');
    for (const ms of roundTrips().slice(0, sides)) {
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThanOrEqual(HEARTBEAT.timeout + HEARTBEAT.interval);
    }
  });

  it('P9: that sends anything at all lives, even half a frame', async () => {
    const stage = await start(setup);
    const { client, target, receiver } = await stage.open();
    answerPings(target.ws);
    const frame = client.encode({ opcode: Opcode.Binary, payload: Buffer.alloc(1000) });
    for (let at = 0; pings(client).length < 5; at += 1) {
      const before = pings(client).length;
      await eventually(() => pings(client).length > before, 'another heartbeat has come');
      client.sendRaw(frame.subarray(at, at + 1));
    }
    expect(receiver.connection.state).toBe('open');
  });

  it('P9: that the application paused is not blamed, and lives on', async () => {
    const stage = await start(setup);
    const { client, target, receiver } = await stage.open();
    answerPings(target.ws);
    await receiver.waitFor('open');
    receiver.connection.pause();
    await manyHeartbeats(stage);
    expect(receiver.connection.state).toBe('open');
    answerPings(client);
    client.sendText('still here');
    receiver.connection.resume();
    if (setup.target !== 'none') expect((await target.read(10)).toString()).toBe('still here');
    await manyHeartbeats(stage);
    expect(receiver.connection.state).toBe('open');
  });

  it('P9: is sent what onBeforeHeartbeat sends instead of a ping, and any answer counts', async () => {
    let beats = 0;
    const stage = await start(setup, {
      callbacks: {
        onBeforeHeartbeat: ({ connection }: { connection: { send(text: string): unknown } }) => {
          beats += 1;
          connection.send(`beat ${beats}`);
          return true;
        },
      },
    });
    const { client, target, receiver } = await stage.open();
    answerPings(target.ws);
    for (let beat = 1; beat <= 4; beat += 1) {
      expect(await client.nextText()).toBe(`beat ${beat}`);
      client.sendText('alive');
    }
    expect(pings(client)).toEqual([]);
    expect(receiver.connection.state).toBe('open');
    expect(await client.nextText()).toBe('beat 5');
    await client.waitForEnd();
    expect(await stage.nextReport()).toMatchObject({ cause: 'HEARTBEAT_LOST', status: 1006 });
  });

  it('P9: with mode if-idle is pinged only when it said nothing', async () => {
    const stage = await start(setup, { heartbeat: { ...HEARTBEAT, mode: 'if-idle' } });
    const talker = await stage.open();
    const listener = await stage.open();
    answerPings(listener.client, talker.target.ws, listener.target.ws);
    await eventually(() => {
      talker.client.sendPong();
      return pings(listener.client).length >= 5;
    }, 'the quiet one was pinged');
    // Each look may fall into a moment in which the busy process sent nothing; far fewer than to the quiet one.
    expect(pings(talker.client).length).toBeLessThan(2);
    expect(talker.receiver.connection.state).toBe('open');
  });
});

function closeCode(peer: FramePeer): number | undefined {
  return peer.received.find(({ opcode }) => opcode === Opcode.Close)?.payload.readUInt16BE(0);
}

describe.each(wsSetups)('P9: a target on $name', (setup) => {
  it('P9: that answers no ping is cut after one, and the client gets 1011', async () => {
    const stage = await start(setup);
    const { client, target, receiver } = await stage.open();
    answerPings(client);
    await target.ws!.waitForEnd();
    expect(target.ws!.received.map(({ opcode }) => opcode)).toEqual([Opcode.Ping]);
    await eventually(() => closeCode(client) === 1011, 'the client was told');
    client.sendClose(1011);
    await receiver.waitFor('closed');
    expect(await stage.nextReport()).toMatchObject({ initiator: 'upstream', cause: 'HEARTBEAT_LOST', codeSent: 1011 });
  });

  it('P9: pings and pongs of both ends pass, beside the heartbeat', async () => {
    const stage = await start(setup);
    const { client, target } = await stage.open();
    client.sendPing('from the client');
    await eventually(() => target.ws!.received.some(says('from the client')), 'the ping passed');
    target.ws!.sendPong('from the client');
    await eventually(() => client.received.some(says('from the client')), 'the pong came back');
    target.ws!.sendPing('from the target');
    await eventually(() => client.received.some(says('from the target')), 'the ping passed');
    client.sendPong('from the target');
    client.sendPong('unsolicited');
    await eventually(() => target.ws!.received.some(says('unsolicited')), 'both pongs came back');
    expect(target.ws!.received.filter(({ opcode }) => opcode === Opcode.Pong)).toHaveLength(2);
  });
});

function says(text: string): (frame: { payload: Buffer }) => boolean {
  return ({ payload }) => payload.toString() === text;
}

describe.each(proxySetups)('P9: backpressure on $name', (setup) => {
  it('P9: a client that is not read, because its target does not read, is not blamed', async () => {
    const stage = await start(setup);
    const { client, target, receiver } = await stage.open();
    target.connection.pauseReading();
    const flood = Flood.fromClient(client);
    const flooding = flood.send(5000);
    if (setup.target === 'ws') {
      // A target that reads nothing answers no ping either, and is the one that is found dead.
      await eventually(() => closeCode(client) === 1011, 'the client was told');
      client.sendClose(1011);
      expect(await stage.nextReport()).toMatchObject({ initiator: 'upstream', cause: 'HEARTBEAT_LOST' });
    } else {
      await manyHeartbeats(stage);
      expect(receiver.connection.state).toBe('open');
    }
    flood.stop();
    client.destroy();
    await flooding;
  });

  it('P9: a client that reads slowly but steadily is not blamed for the ping that waits behind everything else', async () => {
    const stage = await start(setup, { heartbeat: { interval: 800, timeout: 800 } });
    const { client, target, receiver } = await stage.open();
    const neighbour = await stage.open();
    answerPings(client, target.ws, neighbour.client, neighbour.target.ws);
    const flood = Flood.fromTarget(target);
    const flooding = flood.send(100_000);
    // The pace of this client is what is tested: a pause that becomes backpressure, many of them in a heartbeat, and each
    // time more than the operating system takes before it asks the proxy for the next bytes.
    while (pings(neighbour.client).length < 4) {
      client.pauseReading();
      await pace(60);
      const before = client.bytesReceived;
      client.resumeReading();
      await eventually(() => client.bytesReceived - before > 4 * 2 ** 20, 'the client has read a little');
    }
    expect(receiver.connection.state).toBe('open');
    flood.stop();
    client.resumeReading();
    await flooding;
  });

  it('P9: a target that is not read, because the client does not read, is not blamed', async () => {
    const stage = await start(setup, { heartbeat: { interval: 400, timeout: 400 } });
    const { client, target, receiver } = await stage.open();
    answerPings(target.ws);
    client.pauseReading();
    const flood = Flood.fromTarget(target);
    const flooding = flood.send(5000);
    // The client, which reads nothing and says nothing, is the one that is found dead.
    expect(await stage.nextReport()).toMatchObject({ initiator: 'network', cause: 'HEARTBEAT_LOST', status: 1006 });
    flood.stop();
    await flooding.catch(() => {});
    await receiver.waitFor('closed');
  });
});

describe('P9: a heartbeat that is off', () => {
  it('P9: pings nobody and blames nobody', async () => {
    const stage = await Stage.start(withoutTarget, { heartbeat: { interval: 0 }, timeouts: { idle: 400 } });
    const { client } = await stage.open();
    expect((await client.answerClose()).code).toBe(1001);
    expect(pings(client)).toEqual([]);
  });
});
