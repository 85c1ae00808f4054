/** Owns how `ws` clients and servers talk through the proxy, on the `frames` and the `messages` path, with and without compression. */
import { randomBytes } from 'node:crypto';
import { type ClientRequest, createServer, type IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { waitForEvent } from '../support/events.js';
import { RecordingReceiver } from '../support/recording-receiver.js';
import { listenOn } from './listen-on.js';
import { openClient, type RunningProxy, startProxy, startWsTarget, type Talker } from './stage.js';

const FIVE_MB = 5 * 1024 * 1024;

interface Variant {
  readonly path: 'frames' | 'messages';
  readonly deflate: boolean;
}

const variants: Variant[] = [
  { path: 'frames', deflate: false },
  { path: 'frames', deflate: true },
  { path: 'messages', deflate: false },
  { path: 'messages', deflate: true },
];

/** The same kind and the same bytes. `toEqual` takes its time with long messages. */
function same(one: string | Buffer, other: string | Buffer): boolean {
  return typeof one === 'string' || typeof other === 'string' ? one === other : one.equals(other);
}

/** A client and a server of `ws` with the proxy between them. */
async function pair(
  { path, deflate }: Variant,
  protocols: string[] = [],
): Promise<{ client: Talker; upstream: Talker; proxy: RunningProxy }> {
  const target = await startWsTarget({ perMessageDeflate: deflate && { threshold: 0 } });
  const proxy = await startProxy({
    target: target.url,
    compression: deflate,
    ...(path === 'messages' ? { receiver: () => new RecordingReceiver() } : {}),
  });
  const options = { perMessageDeflate: deflate && { threshold: 0 } };
  const client = await openClient(`${proxy.url}/room?x=1`, protocols, options);
  return { client, upstream: await target.nextTalker(), proxy };
}

describe.each(variants)('ws to ws on the $path path, compression $deflate', (variant) => {
  it('takes the path and the extension that were meant', async () => {
    const { client, upstream, proxy } = await pair(variant, ['chat.v2', 'chat.v1']);
    expect(proxy.server.snapshot().connections).toMatchObject([{ dataPath: variant.path, subprotocol: 'chat.v2' }]);
    const extension = variant.deflate ? 'permessage-deflate' : '';
    expect(client.socket.extensions.split(';')[0]).toBe(extension);
    expect(upstream.socket.extensions.split(';')[0]).toBe(extension);
    expect(client.socket.protocol).toBe('chat.v2');
    expect(upstream.socket.protocol).toBe('chat.v2');
    expect(upstream.request?.url).toBe('/room?x=1');
  });

  it('carries text and binary of every length encoding both ways, in order and byte for byte', async () => {
    const { client, upstream, proxy } = await pair(variant);
    const messages = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000].flatMap((size) => [
      'é'.repeat(size >> 1).padEnd(size, 'x'),
      randomBytes(size),
    ]);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      for (const message of messages) from.socket.send(message);
      for (const message of messages) expect(same(await to.message(), message)).toBe(true);
    }
    const counted = { messages: messages.length };
    expect(proxy.server.snapshot().connections).toMatchObject([{ received: counted, sent: counted }]);
  });

  it('carries 5 MB in one message both ways at once', async () => {
    const { client, upstream } = await pair(variant);
    const [there, back] = [randomBytes(FIVE_MB), Buffer.alloc(FIVE_MB, 'the quick brown fox ')];
    client.socket.send(there);
    upstream.socket.send(back);
    const [atUpstream, atClient] = await Promise.all([upstream.message(), client.message()]);
    expect(same(atUpstream, there)).toBe(true);
    expect(same(atClient, back)).toBe(true);
  });

  it('keeps ten thousand small messages each way in order', async () => {
    const { client, upstream } = await pair(variant);
    for (let count = 0; count < 10_000; count += 1) {
      client.socket.send(`c${count}`);
      upstream.socket.send(`u${count}`);
    }
    for (let count = 0; count < 10_000; count += 1) {
      expect(await upstream.message()).toBe(`c${count}`);
      expect(await client.message()).toBe(`u${count}`);
    }
  });

  it('puts fragments together to the same message, with pings between them', async () => {
    const { client, upstream } = await pair(variant);
    const parts = [randomBytes(3), randomBytes(70_000), Buffer.alloc(0), randomBytes(126)];
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      for (const [index, part] of parts.entries()) {
        from.socket.send(part, { fin: index === parts.length - 1 });
        from.socket.ping(`between ${index}`);
      }
      expect(await to.message()).toEqual(Buffer.concat(parts));
      for (const index of parts.keys()) expect(await to.ping()).toBe(`between ${index}`);
    }
  });

  it('passes pings on end to end, so that the pong is the other end’s', async () => {
    const { client, upstream } = await pair(variant);
    client.socket.ping('from the client');
    expect(await upstream.ping()).toBe('from the client');
    expect(await client.pong()).toBe('from the client');
    upstream.socket.ping('from the target');
    expect(await client.ping()).toBe('from the target');
    expect(await upstream.pong()).toBe('from the target');
  });

  it.each([
    [1000, ''],
    [1001, 'moving away'],
    [3000, 'é'.repeat(61)],
    [4404, 'gone doc'],
  ])('tells the target %i %s of the client, and the client the same of the target', async (code, reason) => {
    const first = await pair(variant);
    first.client.socket.close(code, reason);
    expect(await first.upstream.closed).toEqual({ code, reason });
    expect(await first.client.closed).toEqual({ code, reason });
    expect(await first.proxy.nextReport()).toMatchObject({ initiator: 'downstream', status: code, reason });

    const second = await pair(variant);
    second.upstream.socket.close(code, reason);
    expect(await second.client.closed).toEqual({ code, reason });
    expect(await second.upstream.closed).toEqual({ code, reason });
    expect(await second.proxy.nextReport()).toMatchObject({ initiator: 'upstream', codeSent: code });
  });

  it('leaves a close without a code without one', async () => {
    const first = await pair(variant);
    first.client.socket.close();
    expect(await first.upstream.closed).toEqual({ code: 1005, reason: '' });
    const second = await pair(variant);
    second.upstream.socket.close();
    expect(await second.client.closed).toEqual({ code: 1005, reason: '' });
  });

  it('tells 1011 to the end that is left when the other one vanished', async () => {
    const first = await pair(variant);
    first.client.socket.terminate();
    expect((await first.upstream.closed).code).toBe(1011);
    expect(await first.proxy.nextReport()).toMatchObject({ status: 1006 });
    const second = await pair(variant);
    second.upstream.socket.terminate();
    expect((await second.client.closed).code).toBe(1011);
  });

  it('delivers everything that was sent before a close', async () => {
    const { client, upstream } = await pair(variant);
    const last = randomBytes(1_000_000);
    for (let count = 0; count < 100; count += 1) upstream.socket.send(`${count}`);
    upstream.socket.send(last);
    upstream.socket.close(1000, 'done');
    for (let count = 0; count < 100; count += 1) expect(await client.message()).toBe(`${count}`);
    expect(same(await client.message(), last)).toBe(true);
    expect(await client.closed).toEqual({ code: 1000, reason: 'done' });
  });

  it('hands over what the target said in the same packet as its 101', async () => {
    const target = await startWsTarget({ perMessageDeflate: variant.deflate });
    const proxy = await startProxy({
      target: target.url,
      compression: variant.deflate,
      ...(variant.path === 'messages' ? { receiver: () => new RecordingReceiver() } : {}),
    });
    const greeting = target.nextTalker().then((talker) => talker.socket.send('welcome'));
    const client = await openClient(proxy.url, [], { perMessageDeflate: variant.deflate });
    await greeting;
    expect(await client.message()).toBe('welcome');
  });
});

describe('compression', () => {
  it('saves bytes on both hops of the frames path, where both ends agreed on it', async () => {
    const { client, upstream, proxy } = await pair({ path: 'frames', deflate: true });
    client.socket.send('a'.repeat(1_000_000));
    expect(await upstream.message()).toHaveLength(1_000_000);
    const [snapshot] = proxy.server.snapshot().connections;
    expect(snapshot?.received.bytes).toBeLessThan(10_000);
  });

  it('may be on toward the client and off toward the target on the messages path', async () => {
    const target = await startWsTarget();
    const proxy = await startProxy({ target: target.url, compression: true, receiver: () => new RecordingReceiver() });
    const client = await openClient(proxy.url, [], { perMessageDeflate: { threshold: 0 } });
    const upstream = await target.nextTalker();
    expect(client.socket.extensions).toContain('permessage-deflate');
    expect(upstream.socket.extensions).toBe('');
    client.socket.send('b'.repeat(100_000));
    expect(await upstream.message()).toBe('b'.repeat(100_000));
    upstream.socket.send('c'.repeat(100_000));
    expect(await client.message()).toBe('c'.repeat(100_000));
  });

  it('is not agreed on when the target does not speak it', async () => {
    const target = await startWsTarget();
    const proxy = await startProxy({ target: target.url });
    const client = await openClient(proxy.url, [], { perMessageDeflate: true });
    expect(client.socket.extensions).toBe('');
  });
});

describe('a target that refuses', () => {
  it('answers the client with its own status, headers and body', async () => {
    const http = createServer();
    http.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 9\r\n\r\nnot today');
    });
    const port = await listenOn(http);
    const proxy = await startProxy({ target: `ws://127.0.0.1:${port}` });
    const socket = new WebSocket(proxy.url).on('error', () => {});
    onTestFinished(() => socket.terminate());
    const [, response] = await waitForEvent<[ClientRequest, IncomingMessage]>(socket, 'unexpected-response');
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Basic realm="x"');
    let body = '';
    for await (const chunk of response) body += String(chunk);
    expect(body).toBe('not today');
  });
});
