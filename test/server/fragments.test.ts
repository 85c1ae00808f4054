/** Owns what a receiver sees of fragmented messages, and what goes on to the target, with each value of the option `fragments`. */
import { describe, expect, it } from 'vitest';
import { DROP, type Fragment, type FragmentReply } from '../../src/index.js';
import { Opcode, type RawClient } from '../support/raw-client.js';
import { type MessageOverrides, receiverFactory } from '../support/recording-receiver.js';
import { startProxy, startTcp, startUpstream } from './stage.js';

type Mode = 'buffer' | 'fragments' | 'both';

/** Sends a message in these parts. */
function sendParts(client: RawClient, opcode: number, ...parts: Array<string | Buffer>): void {
  for (const [index, payload] of parts.entries()) {
    client.sendFrame({ opcode: index === 0 ? opcode : Opcode.Continuation, fin: index === parts.length - 1, payload });
  }
}

/** A client and a WebSocket target, with a receiver between them that keeps its fragments as they are. */
async function pair(fragments: Mode, reply: (fragment: Fragment) => FragmentReply | Promise<FragmentReply> = () => {}) {
  const target = await startUpstream();
  const seen: Fragment[] = [];
  const overrides: MessageOverrides = {
    onFragment: (fragment) => {
      seen.push(fragment);
      return reply(fragment);
    },
  };
  const receivers = receiverFactory(overrides);
  const running = await startProxy({ target: target.url, receiver: receivers.create, fragments });
  const client = await running.open();
  return {
    ...running,
    client,
    seen,
    upstream: await target.nextConnection(),
    receiver: await receivers.nextReceiver(),
  };
}

const bytes = (text: string) => Buffer.from(text);

describe('fragments: buffer', () => {
  it('shows whole messages only, and passes them on whole', async () => {
    const { client, upstream, receiver, seen } = await pair('buffer');
    sendParts(client, Opcode.Text, 'one ', 'two ', '', 'three');
    expect(await upstream.nextMessage()).toMatchObject({ kind: 'text', text: 'one two three', frames: 1 });
    expect(seen).toEqual([]);
    expect(receiver.entriesOf('text')).toEqual([['text', 'one two three']]);
  });
});

describe('fragments: fragments', () => {
  it('shows each frame with its place, and no whole message', async () => {
    const { client, upstream, receiver, seen } = await pair('fragments');
    sendParts(client, Opcode.Text, 'one', '', 'three');
    sendParts(client, Opcode.Binary, bytes('alone'));
    await upstream.nextMessage();
    await upstream.nextMessage();
    expect(seen).toEqual([
      { index: 0, first: true, final: false, kind: 'text', data: bytes('one') },
      { index: 1, first: false, final: false, kind: 'text', data: bytes('') },
      { index: 2, first: false, final: true, kind: 'text', data: bytes('three') },
      { index: 0, first: true, final: true, kind: 'binary', data: bytes('alone') },
    ]);
    expect(receiver.names).toEqual(['upgrade', 'open', 'fragment', 'fragment', 'fragment', 'fragment']);
  });

  it('passes each on as a frame of its own, at once (P2)', async () => {
    const { client, upstream } = await pair('fragments');
    client.sendFrame({ opcode: Opcode.Text, fin: false, payload: 'one' });
    expect(await upstream.nextFrame()).toMatchObject({ opcode: Opcode.Text, fin: false, payload: bytes('one') });
    client.sendFrame({ opcode: Opcode.Continuation, payload: 'two' });
    expect(await upstream.nextFrame()).toMatchObject({ opcode: Opcode.Continuation, fin: true, payload: bytes('two') });
  });

  it('replaces the payload of a fragment, and DROP empties it', async () => {
    const { client, upstream } = await pair('fragments', ({ data, index }) =>
      index === 1 ? DROP : bytes(data.toString().toUpperCase()),
    );
    sendParts(client, Opcode.Text, 'one', 'two', 'three');
    expect(await upstream.nextMessage()).toMatchObject({ kind: 'text', text: 'ONETHREE', frames: 3 });
  });

  it('lets a text fragment cut a code point, and finds bytes that are no text (RFC 6455 section 8.1)', async () => {
    const { client, upstream, seen, events } = await pair('fragments');
    const euro = bytes('€');
    sendParts(client, Opcode.Text, euro.subarray(0, 1), euro.subarray(1));
    expect((await upstream.nextMessage()).text).toBe('€');
    expect(seen.map(({ data }) => data.length)).toEqual([1, 2]);
    sendParts(client, Opcode.Text, euro.subarray(0, 1), 'no');
    expect((await client.answerClose()).code).toBe(1007);
    expect(await events.reports.next()).toMatchObject({ cause: 'INVALID_UTF8', status: 1007 });
  });

  it('keeps the order of asynchronous replies', async () => {
    const { client, upstream, receiver } = await pair('fragments', async ({ data, index }) => {
      for (let turn = index; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      return bytes(`${data}!`);
    });
    sendParts(client, Opcode.Binary, 'a', 'b', 'c');
    expect((await upstream.nextMessage()).data.toString()).toBe('a!b!c!');
    expect(receiver.overlapping).toEqual([]);
  });

  it('writes the bytes of each to a byte target', async () => {
    const target = await startTcp();
    const receivers = receiverFactory({ onFragment: ({ index }) => (index === 1 ? DROP : undefined) });
    const { open } = await startProxy({ target: target.url, receiver: receivers.create, fragments: 'fragments' });
    const client = await open();
    sendParts(client, Opcode.Binary, 'a', 'b', 'c');
    expect((await (await target.nextConnection()).read(2)).toString()).toBe('ac');
  });

  it('counts messages and bytes as they came', async () => {
    const { client, upstream, server } = await pair('fragments');
    sendParts(client, Opcode.Text, 'abc', 'de');
    await upstream.nextMessage();
    expect(server.snapshot().connections[0]?.received).toEqual({ messages: 1, bytes: 5 });
  });
});

describe('fragments: both', () => {
  it('shows each fragment before the whole message, and passes on what the message callback answered', async () => {
    const target = await startUpstream();
    const receivers = receiverFactory({ onFragment: () => DROP, onText: (text) => text.toUpperCase() });
    const { open, server } = await startProxy({ target: target.url, receiver: receivers.create, fragments: 'both' });
    const client = await open();
    const upstream = await target.nextConnection();
    sendParts(client, Opcode.Text, 'one', 'two');
    expect(await upstream.nextMessage()).toMatchObject({ text: 'ONETWO', frames: 1 });
    expect((await receivers.nextReceiver()).entries.slice(2)).toEqual([
      ['fragment', 'first', bytes('one')],
      ['fragment', 'final', bytes('two')],
      ['text', 'onetwo'],
    ]);
    expect(server.snapshot().connections[0]?.received).toEqual({ messages: 1, bytes: 6 });
  });

  it('shows fragments also when a whole message turns out to be no text', async () => {
    const { client, receiver } = await pair('both');
    sendParts(client, Opcode.Text, 'fine', Buffer.from([0xff]));
    expect((await client.answerClose()).code).toBe(1007);
    await receiver.waitFor('closed');
    expect(receiver.names).toEqual(['upgrade', 'open', 'fragment', 'fragment', 'closed']);
  });
});
