/** Owns what the message callbacks can do: pass on, replace, drop, answer, in both directions, and in order when they are asynchronous. */
import { describe, expect, it } from 'vitest';
import { DROP, type MessageReply } from '../../src/index.js';
import { type Deferred, deferred, eventually } from '../support/events.js';
import { type MessageOverrides, receiverFactory } from '../support/recording-receiver.js';
import { startProxy, startReceivers, startTcp, startUpstream } from './stage.js';

/** A client and a WebSocket target with a receiver between them. */
async function pair(overrides: MessageOverrides, options = {}) {
  const target = await startUpstream();
  const receivers = receiverFactory(overrides);
  const running = await startProxy({ target: target.url, receiver: receivers.create, ...options });
  const client = await running.open();
  return { ...running, client, upstream: await target.nextConnection(), receiver: await receivers.nextReceiver() };
}

describe('the reply of onText and onBinary', () => {
  it('passes on, replaces by text or by bytes, or drops (P2)', async () => {
    const replies = new Map<string, MessageReply>([
      ['pass', undefined],
      ['text', 'replaced'],
      ['bytes', Buffer.from([1, 2])],
      ['empty', ''],
      ['drop', DROP],
    ]);
    const { client, upstream } = await pair({
      onText: (text) => replies.get(text),
      onBinary: (data) => replies.get(data.toString()),
    });
    for (const name of replies.keys()) client.sendText(name);
    for (const name of replies.keys()) client.sendBinary(Buffer.from(name));
    const got = [];
    for (let n = 0; n < 8; n += 1) {
      const { kind, data } = await upstream.nextMessage();
      got.push([kind, kind === 'text' ? data.toString() : [...data]]);
    }
    const pass = [...Buffer.from('pass')];
    expect(got).toEqual([
      ['text', 'pass'],
      ['text', 'replaced'],
      ['binary', [1, 2]],
      ['text', ''],
      ['binary', pass],
      ['text', 'replaced'],
      ['binary', [1, 2]],
      ['text', ''],
    ]);
  });

  it('goes to a byte target as its bytes, and an empty one writes nothing', async () => {
    const target = await startTcp();
    const receivers = receiverFactory({ onText: (text) => (text === 'empty' ? '' : `${text}!`) });
    const { open } = await startProxy({ target: target.url, receiver: receivers.create });
    const client = await open();
    const bytes = await target.nextConnection();
    for (const text of ['a', 'empty', 'b']) client.sendText(text);
    client.sendBinary(Buffer.from('c'));
    expect((await bytes.read(5)).toString()).toBe('a!b!c');
  });

  it('has no effect without a target: a receiver answers with connection.send', async () => {
    const receivers = receiverFactory({
      onText: (text, { connection }) => {
        connection.send(text.toUpperCase());
        return 'to nobody';
      },
      onBinary: (data, { connection }) => void connection.send(data),
    });
    const { open } = await startReceivers({ receiver: receivers.create });
    const client = await open();
    client.sendText('hello');
    client.sendBinary(Buffer.from([7]));
    expect(await client.nextText()).toBe('HELLO');
    expect([...(await client.nextBinary())]).toEqual([7]);
    client.sendPing();
    expect((await client.nextFrame()).opcode).toBe(10);
  });

  it('may be a buffer that the receiver keeps', async () => {
    const kept: Buffer[] = [];
    const { client, upstream } = await pair({ onBinary: (data) => void kept.push(data) });
    for (let n = 0; n < 50; n += 1) client.sendBinary(Buffer.alloc(100, n));
    for (let n = 0; n < 50; n += 1) await upstream.nextBinary();
    expect(kept.map((data) => [data.length, data[0], data[99]])).toEqual(kept.map((_, n) => [100, n, n]));
  });
});

describe('the callbacks for what the target says', () => {
  it('see its texts and bytes, and may replace and drop them', async () => {
    const { client, upstream, receiver } = await pair({
      onUpstreamText: (text) => (text === 'secret' ? DROP : `${text}?`),
      onUpstreamBinary: () => 'was binary',
    });
    upstream.sendText('one');
    upstream.sendText('secret');
    upstream.sendBinary(Buffer.from([1]));
    expect([await client.nextText(), await client.nextText()]).toEqual(['one?', 'was binary']);
    expect(receiver.names).toEqual(['upgrade', 'open', 'upstreamText', 'upstreamText', 'upstreamBinary']);
  });

  it('see each chunk of a byte target', async () => {
    const target = await startTcp();
    const receivers = receiverFactory({ onUpstreamBinary: (data) => Buffer.concat([Buffer.from('>'), data]) });
    const { open } = await startProxy({ target: target.url, receiver: receivers.create });
    const client = await open();
    const bytes = await target.nextConnection();
    bytes.write('one');
    expect((await client.nextBinary()).toString()).toBe('>one');
    bytes.write('two');
    expect((await client.nextBinary()).toString()).toBe('>two');
  });

  it('that fail end this connection with 1011, at both ends (P5)', async () => {
    const { client, upstream, events } = await pair({ onUpstreamText: () => Promise.reject(new Error('no')) });
    upstream.sendText('one');
    expect((await client.answerClose()).code).toBe(1011);
    expect((await upstream.expectClose()).code).toBe(1011);
    expect(await events.reports.next()).toMatchObject({ cause: 'RECEIVER_FAILED', status: 1011 });
  });
});

describe('asynchronous callbacks', () => {
  /** A receiver whose texts are answered when the test says so. */
  function held() {
    const gates = new Map<string, Deferred<MessageReply>>();
    const overrides: MessageOverrides = {
      onText: (text) => {
        const gate = deferred<MessageReply>();
        gates.set(text, gate);
        return gate.promise;
      },
    };
    return { gates, overrides };
  }

  it('keep the order of messages and never overlap (P2)', async () => {
    const { gates, overrides } = held();
    const { client, upstream, receiver } = await pair({ ...overrides, onBinary: () => undefined });
    client.sendText('one');
    client.sendBinary(Buffer.from('two'));
    client.sendText('three');
    await receiver.waitFor('text');
    expect(receiver.names).toEqual(['upgrade', 'open', 'text']);
    gates.get('one')!.resolve('ONE');
    expect(await upstream.nextText()).toBe('ONE');
    expect((await upstream.nextBinary()).toString()).toBe('two');
    await receiver.waitFor('text');
    gates.get('three')!.resolve(undefined);
    expect(await upstream.nextText()).toBe('three');
    expect(receiver.overlapping).toEqual([]);
  });

  it('pause reading above maxPendingMessages, as a state of the chart, until half are done (P3)', async () => {
    const { gates, overrides } = held();
    const { client, upstream, server } = await pair(overrides, { limits: { maxPendingMessages: 4 } });
    const inbound = () => (server.snapshot().connections[0]!.chart as { open: { inbound: string } }).open.inbound;
    expect(inbound()).toBe('reading');
    for (let n = 0; n < 4; n += 1) client.sendText(`${n}`);
    await eventually(() => inbound() === 'paused', 'reading is paused');
    expect(gates.size).toBe(1);
    for (let n = 0; n < 4; n += 1) {
      await eventually(() => gates.has(`${n}`), `callback ${n} began`);
      gates.get(`${n}`)!.resolve(undefined);
      expect(await upstream.nextText()).toBe(`${n}`);
    }
    await eventually(() => inbound() === 'reading', 'reading goes on');
    client.sendText('more');
    await eventually(() => gates.has('more'), 'a message came again');
    gates.get('more')!.resolve(undefined);
    expect(await upstream.nextText()).toBe('more');
  });

  it('are waited for before the end: the Close frame of the client comes behind them (P1, P2)', async () => {
    const { gates, overrides } = held();
    const { client, upstream, receiver, events } = await pair(overrides);
    client.sendText('one');
    client.sendClose(4000, 'bye');
    await receiver.waitFor('text');
    gates.get('one')!.resolve('ONE');
    expect(await upstream.nextText()).toBe('ONE');
    expect(await upstream.expectClose()).toEqual({ code: 4000, reason: 'bye' });
    upstream.sendClose(4000);
    upstream.end();
    expect(await events.reports.next()).toMatchObject({ status: 4000, initiator: 'downstream' });
    expect(receiver.names.at(-1)).toBe('closed');
  });

  it('are waited for before the end of a client that breaks off (P1)', async () => {
    const { gates, overrides } = held();
    const { client, receiver } = await pair(overrides);
    client.sendText('one');
    await receiver.waitFor('text');
    client.reset();
    await eventually(() => client.socket.destroyed, 'the client is gone');
    expect(receiver.names).toEqual(['upgrade', 'open', 'text']);
    gates.get('one')!.resolve(undefined);
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    expect(receiver.overlapping).toEqual([]);
  });

  it('that never settle hold up the end no longer than timeouts.close (P8)', async () => {
    const { overrides } = held();
    const { client, receiver } = await pair(overrides, { timeouts: { close: 60 } });
    client.sendText('one');
    await receiver.waitFor('text');
    client.reset();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
  });

  it('that reject end this connection with 1011 and skip what waited behind them (P5)', async () => {
    const { gates, overrides } = held();
    const { client, receiver, events } = await pair(overrides);
    client.sendText('one');
    client.sendText('two');
    await receiver.waitFor('text');
    gates.get('one')!.reject(new Error('no'));
    expect((await client.answerClose()).code).toBe(1011);
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1011, '']);
    expect(receiver.entriesOf('text')).toEqual([['text', 'one']]);
    expect(events.exceptions.all).toEqual([new Error('no')]);
  });

  it('hold up nothing that the target says when no callback looks at it, and keep its order', async () => {
    const { gates, overrides } = held();
    const { client, upstream, receiver } = await pair(overrides);
    client.sendText('one');
    await receiver.waitFor('text');
    upstream.sendText('first');
    gates.get('one')!.resolve(undefined);
    upstream.sendText('second');
    expect([await client.nextText(), await client.nextText()]).toEqual(['first', 'second']);
  });
});

describe('an asynchronous onOpen', () => {
  it('delays the first message, whatever came with the handshake (P2)', async () => {
    const opening = deferred();
    const receivers = receiverFactory({ onOpen: () => opening.promise });
    const { open } = await startReceivers({ receiver: receivers.create });
    // A text frame with the payload `hi`, masked with zeros, in the same segment as the handshake.
    const client = await open({ head: Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]) });
    const receiver = await receivers.nextReceiver();
    client.sendText('second');
    await client.drained();
    expect(receiver.names).toEqual(['upgrade', 'open']);
    expect(receiver.connection.send('but it may send')).toBe('accepted');
    expect(await client.nextText()).toBe('but it may send');
    opening.resolve();
    await receiver.waitFor('text');
    await receiver.waitFor('text');
    expect(receiver.entriesOf('text')).toEqual([
      ['text', 'hi'],
      ['text', 'second'],
    ]);
    expect(receiver.overlapping).toEqual([]);
  });

  it('delays what the target says, too, and loses none of it', async () => {
    const opening = deferred();
    const { client, upstream, receiver } = await pair({
      onOpen: () => opening.promise,
      onUpstreamText: () => undefined,
    });
    upstream.sendText('from the target');
    await upstream.drained();
    expect(receiver.names).toEqual(['upgrade', 'open']);
    opening.resolve();
    expect(await client.nextText()).toBe('from the target');
  });

  it('that rejects closes with 1011, and onClosed follows (P1)', async () => {
    const receivers = receiverFactory({ onOpen: () => Promise.reject(new Error('no')) });
    const { open, events } = await startReceivers({ receiver: receivers.create });
    const client = await open();
    expect((await client.answerClose()).code).toBe(1011);
    await events.reports.next();
    expect((await receivers.nextReceiver()).names).toEqual(['upgrade', 'open', 'closed']);
  });
});
