/** Owns permessage-deflate on the `messages` path, where each hop has its own (RFC 7692), with whole frames by hand. */
import { deflateRawSync, inflateRawSync, constants as zlib } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProxyServerOptions } from '../../src/index.js';
import { type Pair, Way } from '../fault/way.js';
import { Opcode, type ReceivedMessage } from '../support/raw-client.js';

const OFFER = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover';
const LONG = 'the tide comes in, the tide goes out, '.repeat(100);

/** Compresses one message: raw deflate without the empty block at its end (RFC 7692 section 7.2.1). */
function deflated(data: string | Buffer): Buffer {
  const bytes = deflateRawSync(data, { finishFlush: zlib.Z_SYNC_FLUSH });
  return bytes.subarray(0, bytes.length - 4);
}

function inflated({ data, rsv1 }: ReceivedMessage): string {
  if (!rsv1) return data.toString();
  return inflateRawSync(Buffer.concat([data, Buffer.from([0, 0, 0xff, 0xff])]), {
    finishFlush: zlib.Z_SYNC_FLUSH,
  }).toString();
}

async function connect(
  server: ProxyServerOptions,
  options: {
    extensions?: string | false;
    name?: 'messages to ws' | 'messages to tcp' | 'messages alone';
  } = {},
): Promise<Pair> {
  const { extensions = OFFER, name = 'messages alone' } = options;
  const settings: ProxyServerOptions = { compression: true, timeouts: { close: '5s' }, ...server };
  const way = await Way.start(name, { server: settings });
  onTestFinished(() => way.stop());
  return way.open(extensions === false ? {} : { extensions });
}

async function expectRefused({ client, receiver }: Pair, code: number): Promise<void> {
  expect((await client.answerClose()).code).toBe(code);
  const [, status] = await receiver.waitFor('closed');
  expect(status).toBe(code);
}

describe('permessage-deflate toward the client', () => {
  it('a compressed message is shown inflated', async () => {
    const { client, receiver } = await connect({});
    expect(client.answer.headers['sec-websocket-extensions']).toMatch(/^permessage-deflate/);
    client.sendFrame({ opcode: Opcode.Text, payload: deflated(LONG), rsv1: true });
    expect(await receiver.waitFor('text')).toEqual(['text', LONG]);
  });

  it('an uncompressed message passes beside a compressed one, and both keep their order', async () => {
    const pair = await connect({}, { name: 'messages to tcp' });
    const { client } = pair;
    client.sendRaw(
      Buffer.concat([
        client.encode({ opcode: Opcode.Text, payload: deflated(LONG), rsv1: true }),
        client.encode({ opcode: Opcode.Text, payload: 'plain' }),
        client.encode({ opcode: Opcode.Text, payload: deflated('again'), rsv1: true }),
      ]),
    );
    const expected = `${LONG}plainagain`;
    expect((await pair.peer.read(expected.length)).toString()).toBe(expected);
  });

  it('a message that does not inflate ends the connection, whatever follows it', async () => {
    const pair = await connect({ timeouts: { close: '60s' } });
    const { client } = pair;
    client.sendRaw(
      Buffer.concat([
        client.encode({ opcode: Opcode.Text, payload: Buffer.from('ffffffff', 'hex'), rsv1: true }),
        client.encode({ opcode: Opcode.Text, payload: 'more' }),
      ]),
    );
    await expectRefused(pair, 1007);
  });

  it('an empty compressed message passes', async () => {
    const { client, receiver } = await connect({});
    client.sendFrame({ opcode: Opcode.Text, payload: Buffer.from([0x00]), rsv1: true });
    expect(await receiver.waitFor('text')).toEqual(['text', '']);
  });

  it('what the application sends is compressed from the threshold on, and plain below', async () => {
    const { client, receiver } = await connect({ compression: { threshold: 100 } });
    receiver.connection.send('short');
    receiver.connection.send(LONG);
    const [short, long] = [await client.nextMessage(), await client.nextMessage()];
    expect([short.rsv1, inflated(short)]).toEqual([false, 'short']);
    expect([long.rsv1, inflated(long)]).toEqual([true, LONG]);
    expect(long.data.length).toBeLessThan(LONG.length / 4);
  });

  it('P4: a Close asked for right behind a large message comes behind it', async () => {
    const { client, receiver } = await connect({});
    receiver.connection.send(LONG);
    receiver.connection.close(4000, 'done');
    expect(inflated(await client.nextMessage())).toBe(LONG);
    expect(await client.answerClose()).toEqual({ code: 4000, reason: 'done', end: 'fin' });
  });

  it('a client that offers nothing gets nothing', async () => {
    const { client, receiver } = await connect({}, { extensions: false });
    expect(client.answer.headers['sec-websocket-extensions']).toBe(undefined);
    receiver.connection.send(LONG);
    expect((await client.nextMessage()).rsv1).toBe(false);
  });

  it('a server without the option compression agrees to nothing', async () => {
    const { client } = await connect({ compression: false });
    expect(client.answer.headers['sec-websocket-extensions']).toBe(undefined);
  });

  it('an extension that is not known is left out of the answer', async () => {
    const { client } = await connect({}, { extensions: `x-unknown; level=3, ${OFFER}` });
    expect(client.answer.headers['sec-websocket-extensions']).not.toContain('x-unknown');
    expect(client.answer.headers['sec-websocket-extensions']).toMatch(/^permessage-deflate/);
  });
});

describe('the parameters that are agreed on', () => {
  it('by default the windows are forgotten after each message, both ways', async () => {
    const { client } = await connect({}, { extensions: 'permessage-deflate' });
    const agreed = client.answer.headers['sec-websocket-extensions'] ?? '';
    expect(agreed).toContain('server_no_context_takeover');
    expect(agreed).toContain('client_no_context_takeover');
  });

  it('context takeover is kept where it is switched on, and the second message refers to the first', async () => {
    const { client, receiver } = await connect(
      { compression: { threshold: 0, clientNoContextTakeover: false, serverNoContextTakeover: false } },
      { extensions: 'permessage-deflate' },
    );
    expect(client.answer.headers['sec-websocket-extensions']).toBe('permessage-deflate');
    const random = Buffer.from(
      Array.from({ length: 2000 }, (_, index) => (index * 7919 + (index >> 3) * 104_729) & 0xff),
    );
    receiver.connection.send(random);
    receiver.connection.send(random);
    const [first, second] = [await client.nextMessage(), await client.nextMessage()];
    expect(second.data.length).toBeLessThan(first.data.length / 2);
  });

  it('a client may ask that the server forgets its window', async () => {
    const { client } = await connect(
      { compression: { clientNoContextTakeover: false, serverNoContextTakeover: false } },
      { extensions: 'permessage-deflate; server_no_context_takeover' },
    );
    expect(client.answer.headers['sec-websocket-extensions']).toContain('server_no_context_takeover');
  });

  it('of several offers one that can be accepted is taken', async () => {
    const { client } = await connect(
      {},
      { extensions: 'permessage-deflate; server_max_window_bits=10, permessage-deflate' },
    );
    expect(client.answer.headers['sec-websocket-extensions']).toMatch(/^permessage-deflate/);
  });

  it('an offer with a parameter nobody knows is declined, and the connection is made without it', async () => {
    const { client, receiver } = await connect({}, { extensions: 'permessage-deflate; x_unknown=1' });
    expect(client.answer.headers['sec-websocket-extensions']).toBe(undefined);
    client.sendText('plain');
    expect(await receiver.waitFor('text')).toEqual(['text', 'plain']);
  });
});

describe('compressed messages that are wrong', () => {
  it('RSV1 without an agreement is refused with 1002', async () => {
    const pair = await connect({ compression: false });
    pair.client.sendFrame({ opcode: Opcode.Text, payload: deflated(LONG), rsv1: true });
    await expectRefused(pair, 1002);
  });

  it('RSV1 on a continuation frame is refused with 1002', async () => {
    const pair = await connect({});
    const bytes = deflated(LONG);
    pair.client.sendFrame({ opcode: Opcode.Text, payload: bytes.subarray(0, 10), rsv1: true, fin: false });
    pair.client.sendFrame({ opcode: Opcode.Continuation, payload: bytes.subarray(10), rsv1: true });
    await expectRefused(pair, 1002);
  });

  it.each([
    ['ping', Opcode.Ping],
    ['pong', Opcode.Pong],
    ['Close', Opcode.Close],
  ])('RSV1 on a %s is refused with 1002', async (_name, opcode) => {
    const pair = await connect({});
    pair.client.sendFrame({ opcode, rsv1: true });
    await expectRefused(pair, 1002);
  });

  it('data that does not inflate is refused with 1007, and what came before it is delivered', async () => {
    const pair = await connect({});
    const { client } = pair;
    client.sendRaw(
      Buffer.concat([
        client.encode({ opcode: Opcode.Text, payload: deflated('before'), rsv1: true }),
        client.encode({ opcode: Opcode.Text, payload: Buffer.from([0xff, 0xff, 0xff, 0x07, 0x3d]), rsv1: true }),
        client.encode({ opcode: Opcode.Text, payload: deflated('after'), rsv1: true }),
      ]),
    );
    await expectRefused(pair, 1007);
    expect(pair.receiver.entriesOf('text')).toEqual([['text', 'before']]);
  });

  it('text that is not UTF-8 once it is inflated is refused with 1007', async () => {
    const pair = await connect({});
    pair.client.sendFrame({ opcode: Opcode.Text, payload: deflated(Buffer.from([0x61, 0xff, 0xfe])), rsv1: true });
    await expectRefused(pair, 1007);
  });

  it('P3: a message that inflates over the limit is refused with 1009', async () => {
    const pair = await connect({ limits: { maxMessageBytes: '64KiB' } });
    const bomb = deflated(Buffer.alloc(50 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(64 * 1024);
    pair.client.sendFrame({ opcode: Opcode.Binary, payload: bomb, rsv1: true });
    await expectRefused(pair, 1009);
    expect(pair.receiver.entriesOf('binary')).toEqual([]);
  });

  it('a message that inflates to exactly the limit passes, also in fragments', async () => {
    const pair = await connect({ limits: { maxMessageBytes: 10_000 } });
    const bytes = deflated(Buffer.alloc(10_000, 'x'));
    pair.client.sendFrame({ opcode: Opcode.Binary, payload: bytes.subarray(0, 3), rsv1: true, fin: false });
    pair.client.sendFrame({ opcode: Opcode.Continuation, payload: bytes.subarray(3) });
    expect((await pair.receiver.waitFor('binary'))[1].length).toBe(10_000);
  });
});
