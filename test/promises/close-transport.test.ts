/** Owns promise P4 where TCP ends or breaks: what the other side is told, and that everything before it is delivered. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { Opcode } from '../support/raw-client.js';
import { Flood, readFlood } from './floods.js';
import { everySetup, messageSetups, proxySetups, readPayload, Stage, tcpSetups, wsSetups } from './setups.js';

describe.each(proxySetups)('P4: a target that breaks off on $name', (setup) => {
  it('P4: with a reset is 1011 to the client', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    target.connection.reset();
    expect(await client.answerClose()).toMatchObject({ code: 1011, end: 'fin' });
    expect((await receiver.waitFor('closed'))[1]).toBe(1011);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'upstream',
      cause: 'UPSTREAM_LOST',
      status: 1011,
      codeSent: 1011,
      codeReceived: 1011,
    });
  });

  it('P4: with a reset while the client does not read is noticed, and reported', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: 300 } });
    const { client, target, receiver } = await stage.open();
    client.pauseReading();
    const flood = Flood.fromTarget(target);
    const flooding = flood.send(5000);
    await receiver.waitFor('throttled');
    flood.stop();
    target.connection.reset();
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'upstream',
      cause: 'UPSTREAM_LOST',
      status: 1006,
      codeSent: undefined,
    });
    await flooding;
  });
});

describe.each(wsSetups)('P4: ends without a Close on $name', (setup) => {
  it('P4: a target that ends TCP without a Close is 1011 to the client, behind what it sent', async () => {
    const stage = await Stage.start(setup);
    const { client, target } = await stage.open();
    target.ws!.sendText('last words');
    target.ws!.end();
    expect(await client.nextText()).toBe('last words');
    expect((await client.answerClose()).code).toBe(1011);
    expect(await stage.nextReport()).toMatchObject({ initiator: 'upstream', cause: 'UPSTREAM_LOST' });
  });

  it.each(['resets', 'ends TCP'])('P4: a client that %s is 1011 to the target', async (how) => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    if (how === 'resets') client.reset();
    else client.end();
    expect((await target.ws!.expectClose()).code).toBe(1011);
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'downstream',
      cause: 'CONNECTION_RESET',
      status: 1006,
      codeSent: undefined,
      codeReceived: undefined,
    });
  });

  it('P4: a client that breaks off inside a message leaves the target no half message and is not waited for', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: '1h' } });
    const { client, target } = await stage.open();
    client.sendText('whole');
    const frame = client.encode({ opcode: Opcode.Binary, payload: randomBytes(200_000) });
    client.sendRaw(frame.subarray(0, 100_000));
    await client.drained();
    expect(await target.ws!.nextText()).toBe('whole');
    client.end();
    await stage.nextReport();
    await eventually(() => target.ws!.ended !== undefined || closeSeen(target.ws!.received), 'the target was told');
    expect(target.ws!.received.filter(({ opcode }) => opcode === Opcode.Binary)).toEqual([]);
  });

  it('P4: an end inside a message of the target leaves the client no half message, and nobody waits for the rest', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: '1h' } });
    const { client, target } = await stage.open();
    const frame = target.ws!.encode({ opcode: Opcode.Binary, payload: randomBytes(200_000) });
    target.ws!.sendRaw(frame.subarray(0, 100_000));
    target.ws!.end();
    await eventually(() => client.ended !== undefined || closeSeen(client.received), 'the client was told');
    // What came in frames may have been passed on in part, and then no Close fits in: the client is cut.
    const told = client.ended === undefined ? 1011 : undefined;
    if (told !== undefined) client.sendClose(told);
    expect(await stage.nextReport()).toMatchObject({
      cause: 'UPSTREAM_LOST',
      status: told ?? 1006,
      codeSent: told,
      codeReceived: told,
    });
    await client.waitForEnd();
    expect(client.received.filter(({ opcode }) => opcode === Opcode.Binary)).toEqual([]);
  });
});

describe.each(wsSetups)('P4: messages that stay incomplete on $name', (setup) => {
  it('P4: a Close between two fragments is not held up by what the application sent meanwhile', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: '1h' } });
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    target.ws!.sendFrame({ opcode: Opcode.Text, payload: 'half', fin: false });
    target.ws!.sendPing('behind it');
    await eventually(() => client.received.some(({ opcode }) => opcode === Opcode.Ping), 'the first half passed');
    receiver.connection.send('waits for the other half');
    target.ws!.sendClose(4010);
    expect((await client.expectClose()).code).toBe(4010);
    client.sendClose(4010);
    await target.ws!.expectClose();
    target.ws!.end();
    await stage.nextReport();
  });

  it('P4: a target that resets with a message under way lets the client answer the 1011', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: '1h' } });
    const { client, target } = await stage.open();
    target.connection.pauseReading();
    const flood = Flood.fromClient(client);
    const flooding = flood.send(5000);
    await eventually(() => client.socket.writableLength > 0, 'the way to the target is full');
    flood.stop();
    target.connection.reset();
    expect((await client.answerClose()).code).toBe(1011);
    expect(await stage.nextReport()).toMatchObject({ cause: 'UPSTREAM_LOST', codeSent: 1011, codeReceived: 1011 });
    await flooding;
  });
});

function closeSeen(received: readonly { opcode: number }[]): boolean {
  return received.some(({ opcode }) => opcode === Opcode.Close);
}

describe.each(tcpSetups)('P4: ends of a TCP target on $name', (setup) => {
  it('P4: a FIN is 1000 to the client, behind every byte, also when it reads slowly', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    client.pauseReading();
    const flood = Flood.fromTarget(target);
    const flooding = flood.send(5000);
    await receiver.waitFor('throttled');
    flood.stop();
    client.resumeReading();
    await flooding;
    target.tcp!.end();
    expect(await readFlood((bytes) => readPayload(client, bytes), 0, flood.accepted)).toBe(-1);
    expect(await client.answerClose()).toMatchObject({ code: 1000, end: 'fin' });
    expect((await receiver.waitFor('closed'))[1]).toBe(1000);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'upstream',
      cause: 'closed',
      codeSent: 1000,
      codeReceived: 1000,
      undeliveredBytes: 0,
      dropped: { messages: 0, bytes: 0 },
    });
  });

  it('P4: a FIN that comes while the client does not read waits behind the bytes before it', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    client.pauseReading();
    const bytes = randomBytes(16 * 2 ** 20);
    target.tcp!.end(bytes);
    await receiver.waitFor('throttled');
    client.resumeReading();
    expect((await readPayload(client, bytes.length)).equals(bytes)).toBe(true);
    expect((await client.answerClose()).code).toBe(1000);
  });

  it.each(['resets', 'ends TCP'])('P4: a client that %s ends the target’s connection', async (how) => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    client.sendText('bye');
    expect((await target.read(3)).toString()).toBe('bye');
    if (how === 'resets') client.reset();
    else client.end();
    await target.tcp!.waitForEnd();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    expect(await stage.nextReport()).toMatchObject({ initiator: 'downstream', cause: 'CONNECTION_RESET' });
  });

  it('P4: with halfClose the way to the target stays open behind its FIN', async () => {
    const stage = await Stage.start(setup, { halfClose: true });
    const { client, target } = await stage.open();
    target.tcp!.end('only listening now');
    expect((await readPayload(client, 18)).toString()).toBe('only listening now');
    client.sendText('still heard');
    expect((await target.read(11)).toString()).toBe('still heard');
    client.sendClose(1000);
    expect((await client.expectClose()).code).toBe(1000);
    expect(await target.tcp!.waitForEnd()).toBe('fin');
  });
});

describe.each(wsSetups)('P4: closes behind pressure on $name', (setup) => {
  it.each(['the target', 'the client'])('P4: %s closes while the client does not read', async (who) => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    client.pauseReading();
    const flood = Flood.fromTarget(target);
    const flooding = flood.send(5000);
    await receiver.waitFor('throttled');
    flood.stop();
    if (who === 'the client') {
      client.sendClose(4004, 'full');
      expect(await target.ws!.expectClose()).toEqual({ code: 4004, reason: 'full' });
    }
    target.ws!.sendClose(4004, 'full');
    client.resumeReading();
    await flooding;
    expect(await readFlood((bytes) => readPayload(client, bytes), 0, flood.accepted)).toBe(-1);
    expect(await client.expectClose()).toEqual({ code: 4004, reason: 'full' });
    if (who === 'the target') {
      client.sendClose(4004);
      expect((await target.ws!.expectClose()).code).toBe(4004);
    }
    target.ws!.end();
    expect(await client.waitForEnd()).toBe('fin');
    expect((await stage.nextReport()).undeliveredBytes).toBe(0);
  });
});

describe.each(messageSetups)('P4: closes inside a callback on $name', (setup) => {
  it.each(['text', 'binary'])('P4: of a %s come behind the reply, and nothing is delivered any more', async (kind) => {
    const answer = (stop: boolean, connection: { send(text: string): unknown; close(code: 4003): void }) => {
      if (!stop) return;
      connection.send('reply');
      connection.close(4003);
      connection.send('never');
    };
    const stage = await Stage.start(setup, {
      callbacks: {
        onText: (text, { connection }) => answer(text === 'stop', connection),
        onBinary: (data, { connection }) => answer(data.toString() === 'stop', connection),
      },
    });
    const { client, receiver } = await stage.open();
    const send = (text: string) => (kind === 'text' ? client.sendText(text) : client.sendBinary(Buffer.from(text)));
    for (const text of ['go', 'stop', 'more', 'more']) send(text);
    expect(await client.nextText()).toBe('reply');
    expect((await client.answerClose()).code).toBe(4003);
    await receiver.waitFor('closed');
    expect(receiver.entriesOf(kind === 'text' ? 'text' : 'binary')).toHaveLength(2);
    expect(client.received.filter(({ opcode }) => opcode === Opcode.Text)).toHaveLength(1);
  });
});

describe.each(everySetup)('P4: a connection cut by the application on $name', (setup) => {
  it('P4: ends TCP without a Close, is 1011 to a WebSocket target, and is reported as 1006', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    receiver.connection.terminate();
    await client.waitForEnd();
    expect(client.received).toEqual([]);
    if (target.ws !== undefined) expect((await target.ws.expectClose()).code).toBe(1011);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'application',
      cause: 'terminated',
      status: 1006,
      codeSent: undefined,
      codeReceived: undefined,
    });
  });
});
