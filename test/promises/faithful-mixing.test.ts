/** Owns promise P2 where several sources write to one client, and where frames are compressed end to end. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DROP } from '../../src/index.js';
import { openClient, startProxy, startWsTarget } from '../e2e/stage.js';
import { eventually } from '../support/events.js';
import { Opcode } from '../support/raw-client.js';
import { messageSetups, proxySetups, readPayload, Stage, wsSetups } from './setups.js';

describe.each(wsSetups)('P2: what the application says on $name', (setup) => {
  it('P2: is put between two messages of the target, never inside one', async () => {
    const { client, target, receiver } = await (await Stage.start(setup)).open();
    await receiver.waitFor('open');
    target.ws!.sendFrame({ opcode: Opcode.Text, payload: 'one ', fin: false });
    target.ws!.sendPing('in between');
    await eventually(() => client.received.some(({ opcode }) => opcode === Opcode.Ping), 'the ping passed');
    receiver.connection.send('from us');
    receiver.connection.ping('also us');
    target.ws!.sendFrame({ opcode: Opcode.Continuation, payload: 'two' });
    const texts = [await client.nextText(), await client.nextText()];
    expect(texts.sort()).toEqual(['from us', 'one two']);
    expect(client.received.some(({ payload }) => payload.toString() === 'also us')).toBe(true);
  });

  it('P2: a ping of ours inside a large frame of the target waits for its end', async () => {
    const { client, target, receiver } = await (await Stage.start(setup)).open();
    await receiver.waitFor('open');
    const payload = randomBytes(300_000);
    const frame = target.ws!.encode({ opcode: Opcode.Binary, payload });
    target.ws!.sendRaw(frame.subarray(0, 200_000));
    await target.ws!.drained();
    receiver.connection.ping('us');
    receiver.connection.send('us too');
    target.ws!.sendRaw(frame.subarray(200_000));
    const messages = [await client.nextMessage(), await client.nextMessage()];
    expect(messages.map(({ kind }) => kind).sort()).toEqual(['binary', 'text']);
    expect(messages.find(({ kind }) => kind === 'binary')!.data.equals(payload)).toBe(true);
  });
});

describe.each(proxySetups)('P2: two sources at once on $name', (setup) => {
  it('P2: a flood of the target and messages of the application do not damage each other', async () => {
    const { client, target, receiver } = await (await Stage.start(setup)).open();
    await receiver.waitFor('open');
    const payload = randomBytes(2 ** 20);
    for (let at = 0; at < payload.length; at += 10_000) {
      target.send(payload.subarray(at, at + 10_000));
      if (at % 50_000 === 0) {
        await target.connection.drained();
        receiver.connection.send(`at ${at}`);
      }
    }
    const parts: Buffer[] = [];
    const texts: string[] = [];
    for (let size = 0; size < payload.length || texts.length < 21; ) {
      const message = await client.nextMessage();
      if (message.kind === 'text') texts.push(message.text);
      else {
        parts.push(message.data);
        size += message.data.length;
      }
    }
    expect(Buffer.concat(parts).equals(payload)).toBe(true);
    expect(texts).toEqual(Array.from({ length: 21 }, (_, index) => `at ${index * 50_000}`));
  });
});

describe.each(messageSetups)('P2: asynchronous callbacks on $name', (setup) => {
  it('P2: keep the order of messages, however long each takes', async () => {
    const stage = await Stage.start(setup, {
      limits: { maxPendingMessages: 2 },
      callbacks: {
        onText: async (text, { connection }) => {
          for (let turns = text.length % 7; turns > 0; turns -= 1) await Promise.resolve();
          if (setup.target === 'none') connection.send(`${text};`);
          return `${text};`;
        },
        onBinary: (data, { connection }) => {
          if (setup.target === 'none') connection.send(data);
        },
      },
    });
    const { client, target, receiver } = await stage.open();
    const sent: string[] = [];
    for (let count = 0; count < 60; count += 1) {
      const text = 'x'.repeat(count % 11) + count;
      if (count % 3 === 0) {
        client.sendBinary(Buffer.from(`${text}.`));
        sent.push(`${text}.`);
      } else {
        client.sendText(text);
        sent.push(`${text};`);
      }
    }
    const all = sent.join('');
    const heard = setup.target === 'none' ? await readPayload(client, all.length) : await target.read(all.length);
    expect(heard.toString()).toBe(all);
    expect(receiver.overlapping).toEqual([]);
  });

  it('P2: may replace a message, change its type, or swallow it', async () => {
    const seen: string[] = [];
    const stage = await Stage.start(setup, {
      callbacks: {
        onText: (text) => {
          seen.push(text);
          if (text === 'swallow') return DROP;
          return text === 'bytes' ? Buffer.from([1, 2]) : undefined;
        },
      },
    });
    const { client, target } = await stage.open();
    for (const text of ['pass', 'swallow', 'bytes', 'end']) client.sendText(text);
    if (setup.target === 'none') client.sendClose(1000);
    else expect(await target.read(9)).toEqual(Buffer.from('pass\x01\x02end'));
    if (setup.target === 'none') await client.expectClose();
    expect(seen).toEqual(['pass', 'swallow', 'bytes', 'end']);
  });
});

describe('P2: permessage-deflate end to end on frames', () => {
  it('P2: carries binary both ways between ends that agreed on it, with context takeover and without', async () => {
    for (const perMessageDeflate of [
      { threshold: 0 },
      { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
    ]) {
      const wsTarget = await startWsTarget({ perMessageDeflate });
      const proxy = await startProxy({ target: wsTarget.url });
      const client = await openClient(proxy.url, [], { perMessageDeflate });
      const upstream = await wsTarget.nextTalker();
      expect(client.socket.extensions).toContain('permessage-deflate');
      expect(proxy.server.snapshot().connections[0]?.dataPath).toBe('frames');
      const messages = [0, 1, 125, 126, 65_536, 300_000].flatMap((size) => [
        randomBytes(size),
        Buffer.alloc(size, 'abc'),
      ]);
      for (const message of messages) {
        client.socket.send(message);
        upstream.socket.send(message);
      }
      for (const message of messages) {
        expect(message.equals((await upstream.message()) as Buffer)).toBe(true);
        expect(message.equals((await client.message()) as Buffer)).toBe(true);
      }
    }
  });
});
