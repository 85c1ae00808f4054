/** Owns compressed messages that pass through a proxy: between real clients and servers, and piece by piece. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { deflateRawSync, constants as zlib } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startProxy, startUpstream } from '../fault/running.js';
import { Way } from '../fault/way.js';
import { Opcode, RawClient } from '../support/raw-client.js';
import { QuietReceiver, RecordingReceiver, receiverFactory } from '../support/recording-receiver.js';

/** A message to be compared: large ones are compared much faster as a string than byte by byte. */
function shown(kind: 'text' | 'binary', data: Buffer): string {
  return `${kind} ${data.toString('latin1')}`;
}

/** A ws server that sends back what it gets, compressed where that was agreed on. */
async function startEcho(perMessageDeflate: boolean): Promise<{ url: string; extensions: string[] }> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: perMessageDeflate && { threshold: 0 },
  });
  await once(server, 'listening');
  const extensions: string[] = [];
  server.on('connection', (socket) => {
    extensions.push(socket.extensions);
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  onTestFinished(async () => {
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return { url: `ws://127.0.0.1:${address.port}`, extensions };
}

const MESSAGES = [
  'short',
  '',
  'the tide comes in '.repeat(10_000),
  '\u{1f30a}'.repeat(5000),
  Buffer.alloc(0),
  Buffer.alloc(300_000, 'abc'),
  randomBytes(200_000),
];

describe.each([
  ['frames', true, true],
  ['frames', true, false],
  ['messages', true, true],
  ['messages', true, false],
  ['messages', false, true],
] as const)(
  'on the path "%s", with a client that compresses (%s) and a target that does (%s)',
  (path, client, target) => {
    it('P2: messages of both kinds and all sizes come back as they were, in order', async () => {
      const echo = await startEcho(target);
      const receivers = receiverFactory(() => (path === 'frames' ? new QuietReceiver() : new RecordingReceiver()));
      const proxy = await startProxy({ target: echo.url, compression: true, receiver: receivers.create });
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}`, { perMessageDeflate: client && { threshold: 0 } });
      onTestFinished(() => socket.terminate());
      await once(socket, 'open');
      const came: string[] = [];
      const all = new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
        socket.on('message', (data: Buffer, isBinary) => {
          came.push(shown(isBinary ? 'binary' : 'text', data));
          if (came.length === MESSAGES.length) resolve();
        });
      });
      for (const message of MESSAGES) socket.send(message);
      await all;
      expect(came).toEqual(
        MESSAGES.map((sent) => shown(typeof sent === 'string' ? 'text' : 'binary', Buffer.from(sent as string))),
      );
      // On the frames path both ends agree with each other; otherwise each agrees with the proxy.
      const compressed = path === 'frames' ? client && target : client;
      expect(socket.extensions).toBe(compressed ? 'permessage-deflate' : '');
      expect(echo.extensions[0] !== '').toBe(path === 'frames' ? client && target : target);
      expect(proxy.server.snapshot().connections[0]?.dataPath).toBe(path);
    });
  },
);

describe.each(['both', 'fragments'] as const)('with fragments: %s', (fragments) => {
  it('the fragments of a compressed message are shown inflated, each once', async () => {
    const way = await Way.start('messages to tcp', {
      server: { compression: true, fragments },
      receiver: () => new RecordingReceiver({ onFragment: () => undefined }),
    });
    onTestFinished(() => way.stop());
    const { client, receiver, peer } = await way.open({ extensions: 'permessage-deflate; client_no_context_takeover' });
    const text = 'in and out with the tide '.repeat(400);
    const whole = deflateRawSync(text, { finishFlush: zlib.Z_SYNC_FLUSH });
    const bytes = whole.subarray(0, whole.length - 4);
    const cuts = [bytes.subarray(0, 20), bytes.subarray(20, 21), bytes.subarray(21, 40), bytes.subarray(40)];
    cuts.forEach((payload, index) => {
      const opcode = index === 0 ? Opcode.Text : Opcode.Continuation;
      client.sendFrame({ opcode, payload, rsv1: index === 0, fin: index === cuts.length - 1 });
    });
    expect((await peer.read(text.length)).toString()).toBe(text);
    const seen = receiver.entriesOf('fragment');
    expect(seen.map(([, place]) => place)).toEqual(['first', 'middle', 'middle', 'final']);
    expect(Buffer.concat(seen.map(([, , data]) => data)).toString()).toBe(text);
    expect(receiver.entriesOf('text')).toEqual(fragments === 'both' ? [['text', text]] : []);
  });
});

describe('on the path "frames", a target that answers a client\'s offer', () => {
  const offer = { extensions: 'permessage-deflate; client_max_window_bits' };

  it.each([
    ['with an extension that nobody offered', 'x-tide'],
    ['with one more extension than was offered', 'permessage-deflate, x-tide'],
    ['twice', 'permessage-deflate, permessage-deflate'],
    ['with a window that there is not', 'permessage-deflate; server_max_window_bits=16'],
    ['with something else than a list of extensions', 'permessage-deflate; ;'],
  ])('P6: %s is a bad handshake', async (_, extensions) => {
    const target = await startUpstream({ extensions });
    const proxy = await startProxy({ target: target.url, receiver: () => new QuietReceiver() });
    expect((await RawClient.handshake({ port: proxy.port, ...offer })).status).toBe(502);
    expect(await proxy.rejected.next()).toMatchObject({ error: 'UPSTREAM_BAD_HANDSHAKE' });
  });
});

describe('a message that inflates to a thousand times its size, on the path "frames"', () => {
  it('passes, because the size on the wire is what counts there, and nothing is inflated', async () => {
    const bomb = deflateRawSync(Buffer.alloc(1_000_000), { finishFlush: zlib.Z_SYNC_FLUSH }).subarray(0, -4);
    expect(bomb.length).toBeLessThan(1200);
    const upstream = await startUpstream({ extensions: 'permessage-deflate' });
    const { port } = await startProxy({ target: upstream.url, limits: { maxMessageBytes: 1200 } });
    const client = await RawClient.open({ port, headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    onTestFinished(() => client.destroy());
    const target = await upstream.nextConnection();
    client.sendFrame({ opcode: Opcode.Binary, payload: bomb, rsv1: true });
    expect((await target.nextMessage()).data.equals(bomb)).toBe(true);
    client.sendFrame({ opcode: Opcode.Binary, payload: Buffer.alloc(1201), rsv1: true });
    expect((await client.expectClose()).code).toBe(1009);
  });

  it('is not to be had where compression may not pass: it is offered to no target, and one that comes breaks the protocol', async () => {
    const upstream = await startUpstream();
    const { port } = await startProxy({ target: upstream.url, passCompression: false });
    const client = await RawClient.open({ port, headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    onTestFinished(() => client.destroy());
    const target = await upstream.nextConnection();
    expect(target.requestHead.toLowerCase()).not.toContain('sec-websocket-extensions');
    client.sendFrame({ opcode: Opcode.Binary, payload: 'x', rsv1: true });
    expect((await client.expectClose()).code).toBe(1002);
  });
});
