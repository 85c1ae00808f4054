/** Owns promise P2: messages keep their order, boundaries, type and every byte, however they are cut on the way. */
import { randomBytes, randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeFrame, type FramePeer, Opcode } from '../support/raw-client.js';
import { everySetup, proxySetups, readPayload, type Setup, Stage, tcpSetups, wsSetups } from './setups.js';

const SIZES = [0, 1, 125, 126, 65_535, 65_536, 2 ** 20];

/** The same type and the same bytes. `toEqual` takes its time with long messages. */
async function expectMessage(peer: FramePeer, kind: 'text' | 'binary', data: Buffer): Promise<void> {
  const message = await peer.nextMessage();
  expect([message.kind, message.data.length]).toEqual([kind, data.length]);
  expect(message.data.equals(data)).toBe(true);
}

function textOf(size: number): Buffer {
  return Buffer.from('é'.repeat(size >> 1).padEnd(size - (size >> 1), 'x'));
}

/** Sends bytes in pieces of random lengths, each in a segment of its own as far as the system lets it be. */
async function sendInCuts(peer: FramePeer, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const next = Math.min(bytes.length, at + randomInt(1, Math.max(2, bytes.length >> 6)));
    peer.sendRaw(bytes.subarray(at, next));
    await peer.drained();
    at = next;
  }
}

describe.each(wsSetups)('P2: messages arrive as they were sent on $name', (setup: Setup) => {
  it.each(['to the target', 'to the client'])('P2: every size, text and binary, %s', async (direction) => {
    const { client, target } = await (await Stage.start(setup)).open();
    const [from, to]: FramePeer[] = direction === 'to the target' ? [client, target.ws!] : [target.ws!, client];
    const messages = SIZES.map((size) => ({ text: textOf(size), binary: randomBytes(size) }));
    for (const { text, binary } of messages) {
      from!.sendText(text.toString());
      from!.sendBinary(binary);
    }
    for (const { text, binary } of messages) {
      await expectMessage(to!, 'text', text);
      await expectMessage(to!, 'binary', binary);
    }
  });

  it('P2: fragments with pings and pongs between them, both ways', async () => {
    const { client, target } = await (await Stage.start(setup)).open();
    const parts = [randomBytes(3), Buffer.alloc(0), randomBytes(70_000), randomBytes(126), Buffer.alloc(0)];
    for (const [from, to] of [
      [client, target.ws!],
      [target.ws!, client],
    ] as FramePeer[][]) {
      for (const [index, payload] of parts.entries()) {
        const opcode = index === 0 ? Opcode.Binary : Opcode.Continuation;
        from!.sendFrame({ opcode, payload, fin: index === parts.length - 1 });
        from!.sendPing(`ping ${index}`);
        from!.sendPong(`pong ${index}`);
      }
      from!.sendText('behind');
      await expectMessage(to!, 'binary', Buffer.concat(parts));
      expect(await to!.nextText()).toBe('behind');
      const controls = to!.received.filter(({ opcode }) => opcode === Opcode.Ping || opcode === Opcode.Pong);
      expect(controls.map(({ payload }) => payload.toString())).toEqual(
        parts.flatMap((_, index) => [`ping ${index}`, `pong ${index}`]),
      );
    }
  });

  it('P2: messages that share a segment with the handshake are not lost', async () => {
    const firstBytes = Buffer.concat([
      encodeFrame({ opcode: Opcode.Text, payload: 'welcome' }),
      encodeFrame({ opcode: Opcode.Ping, payload: 'there?' }),
      encodeFrame({ opcode: Opcode.Binary, payload: Buffer.from([1, 2, 3]) }),
    ]);
    const head = Buffer.concat([
      encodeFrame({ opcode: Opcode.Text, payload: 'hello', masked: true }),
      encodeFrame({ opcode: Opcode.Binary, payload: Buffer.alloc(70_000, 7), masked: true }),
    ]);
    const stage = await Stage.start(setup, { upstream: { firstBytes } });
    const { client, target } = await stage.open({ head });
    expect(await client.nextText()).toBe('welcome');
    expect(await client.nextBinary()).toEqual(Buffer.from([1, 2, 3]));
    expect(await target.ws!.nextText()).toBe('hello');
    expect((await target.ws!.nextBinary()).equals(Buffer.alloc(70_000, 7))).toBe(true);
  });

  it('P2: a Close that shares a segment with the handshake comes behind the messages before it', async () => {
    const firstBytes = Buffer.concat([
      encodeFrame({ opcode: Opcode.Text, payload: 'full' }),
      encodeFrame({ opcode: Opcode.Close, payload: Buffer.from([0x0f, 0xa5]) }),
    ]);
    const stage = await Stage.start(setup, { upstream: { firstBytes } });
    const client = await stage.openClient();
    expect(await client.nextText()).toBe('full');
    expect((await client.answerClose()).code).toBe(4005);
  });

  it('P2: frames in random cuts, both ways at once', async () => {
    const { client, target } = await (await Stage.start(setup)).open();
    const messages = SIZES.map((size) => randomBytes(size));
    const bytes = (peer: FramePeer) =>
      Buffer.concat(messages.map((payload) => peer.encode({ opcode: Opcode.Binary, payload })));
    const received = async (peer: FramePeer) => {
      for (const message of messages) await expectMessage(peer, 'binary', message);
    };
    await Promise.all([
      sendInCuts(client, bytes(client)),
      sendInCuts(target.ws!, bytes(target.ws!)),
      received(client),
      received(target.ws!),
    ]);
  });

  it('P2: a client’s head of half a frame is completed by what follows', async () => {
    const frame = encodeFrame({ opcode: Opcode.Text, payload: 'in two halves', masked: true });
    const { client, target } = await (await Stage.start(setup)).open({ head: frame.subarray(0, 9) });
    client.sendRaw(frame.subarray(9));
    expect(await target.ws!.nextText()).toBe('in two halves');
  });
});

describe.each(tcpSetups)('P2: bytes arrive as they were sent on $name', (setup) => {
  it('P2: messages of every size become exactly their bytes, and none for an empty one', async () => {
    const { client, target } = await (await Stage.start(setup)).open();
    const messages = SIZES.map((size) => randomBytes(size));
    for (const message of messages) client.sendBinary(message);
    const bytes = Buffer.concat(messages);
    expect((await target.read(bytes.length)).equals(bytes)).toBe(true);
    expect(target.tcp!.unread).toBe(0);
  });

  it('P2: fragments with pings between them become exactly their bytes', async () => {
    const { client, target } = await (await Stage.start(setup)).open();
    for (const [index, payload] of ['one ', '', 'two ', 'three'].entries()) {
      client.sendFrame({ opcode: index === 0 ? Opcode.Text : Opcode.Continuation, payload, fin: index === 3 });
      client.sendPing(`${index}`);
    }
    expect((await target.read(13)).toString()).toBe('one two three');
    for (let index = 0; index < 4; index += 1) {
      expect((await client.nextFrame(Opcode.Pong)).payload.toString()).toBe(`${index}`);
    }
  });

  it('P2: bytes of the target become binary messages without a gap, in any cuts, both ways at once', async () => {
    const { client, target } = await (await Stage.start(setup)).open();
    const [there, back] = [randomBytes(2 ** 20), randomBytes(2 ** 20)];
    const sendBack = async () => {
      for (let at = 0; at < back.length; ) {
        const next = at + randomInt(1, 40_000);
        target.tcp!.write(back.subarray(at, next));
        await target.tcp!.drained();
        at = next;
      }
    };
    const [, , atTarget, atClient] = await Promise.all([
      sendInCuts(client, client.encode({ opcode: Opcode.Binary, payload: there })),
      sendBack(),
      target.read(there.length),
      readPayload(client, back.length),
    ]);
    expect(atTarget.equals(there)).toBe(true);
    expect(atClient.equals(back)).toBe(true);
    expect(client.received.every(({ opcode, payload }) => opcode === Opcode.Binary && payload.length > 0)).toBe(true);
  });

  it('P2: a target that speaks first is heard, before the client says anything', async () => {
    const stage = await Stage.start(setup, {
      tcp: { onConnection: (connection) => connection.write('RFB 003.008\n') },
    });
    const { client, target } = await stage.open();
    expect((await readPayload(client, 12)).toString()).toBe('RFB 003.008\n');
    client.sendText('RFB 003.008\n');
    expect((await target.read(12)).toString()).toBe('RFB 003.008\n');
  });

  it('P2: text frames cut the target’s text at code points only', async () => {
    const { client, target } = await (await Stage.start(setup, { frameType: 'text' })).open();
    const text = 'aé€😀'.repeat(50);
    for (const byte of Buffer.from(text)) {
      target.tcp!.write(Buffer.from([byte]));
      await target.tcp!.drained();
    }
    let heard = '';
    while (heard.length < text.length) heard += await client.nextText();
    expect(heard).toBe(text);
  });
});

describe.each(proxySetups)('P2: what comes early is kept on $name', (setup) => {
  it('P2: messages that come before the target is there reach it in order', async () => {
    const head = encodeFrame({ opcode: Opcode.Text, payload: 'first', masked: true });
    const stage = await Stage.start(setup, { connectUpstream: 'after-accept' });
    const { client, target } = await stage.open({ head });
    client.sendText(' second');
    expect((await target.read(12)).toString()).toBe('first second');
  });

  it('P2: messages that come while onOpen is pending wait for it, and so does the target', async () => {
    let finish: () => void = () => {};
    const onOpen = () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      });
    const stage = await Stage.start(setup, { callbacks: { onOpen } });
    const head = encodeFrame({ opcode: Opcode.Text, payload: 'early', masked: true });
    const { client, target, receiver } = await stage.open({ head });
    await receiver.waitFor('open');
    client.sendText(' late');
    await client.drained();
    expect(receiver.entriesOf('text')).toEqual([]);
    finish();
    expect((await target.read(10)).toString()).toBe('early late');
  });
});

describe.each(everySetup)('P2: messages of the application on $name', (setup) => {
  it('P2: what onOpen sends comes first, whole and in order', async () => {
    const sizes = SIZES.map((size) => randomBytes(size));
    const stage = await Stage.start(setup, {
      callbacks: {
        onOpen: (_request, { connection }) => {
          connection.send('hello');
          for (const message of sizes) connection.send(message);
        },
      },
    });
    const client = await stage.openClient();
    expect(await client.nextText()).toBe('hello');
    for (const message of sizes) await expectMessage(client, 'binary', message);
  });
});
