/** Owns what a client sees for every wrong answer a WebSocket target can give to the handshake (P6), and that none is tunnelled. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { encodeFrame, Opcode, RawClient } from '../support/raw-client.js';
import type { RawPeer, RawUpstreamOptions } from '../support/raw-upstream.js';
import { refusedPort, unansweredPort } from '../support/tcp-peer.js';
import { emptied, openClient, startProxy, startTcpPeer, startUpstream } from './running.js';

const text = (payload: string): Buffer => encodeFrame({ opcode: Opcode.Text, payload });

/** Opens a handshake through a proxy to a target that answers like this. */
async function answerOf(options: RawUpstreamOptions, headers: Record<string, string> = {}) {
  const upstream = await startUpstream(options);
  const proxy = await startProxy({ target: upstream.url });
  const answer = await RawClient.handshake({ port: proxy.port, headers, subprotocols: ['chat'] });
  return { answer, proxy, upstream };
}

describe('P6: a refusal of the target reaches the client', () => {
  it('404 with its body and its own headers', async () => {
    const { answer, proxy } = await answerOf({
      answer: {
        status: 404,
        statusText: 'No Such Room',
        headers: { 'Content-Type': 'application/json', 'X-Room': '7', 'Set-Cookie': ['a=1', 'b=2'] },
        body: '{"room":7}',
      },
    });
    expect(answer).toMatchObject({ status: 404, statusText: 'No Such Room', body: '{"room":7}' });
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-room': '7', connection: 'close' });
    expect(answer.headerLines.filter((line) => /^set-cookie/i.test(line))).toEqual([
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
    ]);
    expect(await answer.waitForEnd()).toBe('fin');
    expect(await proxy.rejected.next()).toMatchObject({ error: 'UPSTREAM_REJECTED', status: 404 });
  });

  it('401 with WWW-Authenticate, so that the client can come again with credentials', async () => {
    const { answer } = await answerOf({
      answer: { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="sea"' } },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="sea"');
  });

  it('426 with the versions the target speaks', async () => {
    const { answer } = await answerOf({
      answer: { status: 426, headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13, 8' } },
    });
    expect(answer.status).toBe(426);
    expect(answer.headers['sec-websocket-version']).toBe('13, 8');
  });

  it('503 with its own Retry-After', async () => {
    const { answer } = await answerOf({ answer: { status: 503, headers: { 'Retry-After': '77' } } });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '77']);
  });

  it('302 with its Location, which is the client’s to follow', async () => {
    const { answer } = await answerOf({ answer: { status: 302, headers: { Location: 'wss://other.example/' } } });
    expect([answer.status, answer.headers.location]).toEqual([302, 'wss://other.example/']);
  });

  it('200 as an answer like any other, and not as an open connection', async () => {
    const { answer } = await answerOf({ answer: { status: 200, statusText: 'OK', body: 'a page' } });
    expect(answer).toMatchObject({ status: 200, body: 'a page', client: undefined });
  });

  it('a body in chunks is passed on with a length', async () => {
    const { answer } = await answerOf({
      onUpgrade: (_head, peer) =>
        peer.connection.end(
          'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nno, \r\n5\r\nnever\r\n0\r\n\r\n',
        ),
    });
    expect(answer).toMatchObject({ status: 403, body: 'no, never' });
    expect(answer.headers['transfer-encoding']).toBe(undefined);
  });

  it('a body that breaks off is passed on as far as it came', async () => {
    const { answer } = await answerOf({
      onUpgrade: (_head, peer) => peer.connection.end('HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf'),
    });
    expect(answer).toMatchObject({ status: 500, body: 'half' });
  });
});

const BAD_HANDSHAKES: readonly (readonly [what: string, answer: RawUpstreamOptions])[] = [
  ['a wrong Sec-WebSocket-Accept', { wrongAccept: true }],
  ['no Sec-WebSocket-Accept', { omitHeaders: ['Sec-WebSocket-Accept'] }],
  ['a 101 without Upgrade', { omitHeaders: ['Upgrade'] }],
  ['a 101 without Connection', { omitHeaders: ['Connection'] }],
  ['a 101 to another protocol', { headers: { Upgrade: 'h2c' } }],
  ['a subprotocol nobody offered', { subprotocol: 'mqtt' }],
  ['an extension nobody offered', { extensions: 'permessage-deflate' }],
  ['two subprotocols', { headers: ['Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Protocol: chat'] }],
  ['garbage', { onUpgrade: (_head, peer) => peer.connection.end('tide tide tide\r\n\r\n') }],
  ['a frame', { onUpgrade: (_head, peer) => peer.connection.end(text('too early')) }],
  [
    'an HTTP version that does not exist',
    { onUpgrade: (_head, peer) => peer.connection.end('HTTP/7.7 101 Yes\r\n\r\n') },
  ],
  ['headers larger than the limit', { headers: { 'X-Large': 'x'.repeat(100_000) } }],
];

describe('P6: an answer that is no handshake is a 502', () => {
  for (const [what, options] of BAD_HANDSHAKES) {
    it(`${what}: the client gets 502, the server goes on, and the target’s connection ends`, async () => {
      const { answer, proxy, upstream } = await answerOf(options);
      expect(answer.status).toBe(502);
      expect(answer.client).toBe(undefined);
      expect(await proxy.rejected.next()).toMatchObject({ error: 'UPSTREAM_BAD_HANDSHAKE', status: 502 });
      await eventually(() => upstream.openConnections === 0, 'the connection to the target is closed');
      await emptied(proxy.server);
      expect(proxy.exceptions.all).toEqual([]);
    });
  }

  it.each([
    ['ends', (peer: RawPeer) => peer.end()],
    ['is reset', (peer: RawPeer) => peer.reset()],
  ])('a target whose connection %s without an answer: 502', async (_how, onUpgrade) => {
    const { answer, proxy } = await answerOf({ onUpgrade: (_head, peer) => onUpgrade(peer) });
    expect(answer.status).toBe(502);
    expect(await proxy.rejected.next()).toMatchObject({ error: 'UPSTREAM_REFUSED' });
  });

  it('a target that closes every connection at once: 502', async () => {
    const peer = await startTcpPeer({ onConnection: (connection) => connection.reset() });
    const proxy = await startProxy({ target: `ws://127.0.0.1:${peer.port}` });
    expect((await RawClient.handshake({ port: proxy.port })).status).toBe(502);
  });

  it.each(['ws', 'tcp'])('a %s target where nobody listens: 502', async (scheme) => {
    const proxy = await startProxy({ target: `${scheme}://127.0.0.1:${await refusedPort()}` });
    expect((await RawClient.handshake({ port: proxy.port })).status).toBe(502);
    expect(await proxy.rejected.next()).toMatchObject({ error: 'UPSTREAM_REFUSED', status: 502 });
  });
});

describe('P8: a target that is silent ends at the dial deadline', () => {
  it('one that accepts TCP and never answers: 504, and its connection is given up', async () => {
    const upstream = await startUpstream({ answer: 'nothing' });
    const proxy = await startProxy({ target: upstream.url, timeouts: { dial: 100 } });
    expect((await RawClient.handshake({ port: proxy.port })).status).toBe(504);
    expect(await proxy.rejected.next()).toMatchObject({ error: 'UPSTREAM_TIMEOUT', status: 504 });
    await eventually(() => upstream.openConnections === 0, 'the connection to the target is closed');
  });

  it('one that sends half an answer and stops: 504', async () => {
    const upstream = await startUpstream({ onUpgrade: (_head, peer) => peer.sendRaw('HTTP/1.1 101 Swit') });
    const proxy = await startProxy({ target: upstream.url, timeouts: { dial: 100 } });
    expect((await RawClient.handshake({ port: proxy.port })).status).toBe(504);
  });

  it.each(['ws', 'tcp'])('a %s target that does not even accept: 504', async (scheme) => {
    const nowhere = await unansweredPort();
    try {
      const proxy = await startProxy({ target: `${scheme}://127.0.0.1:${nowhere.port}`, timeouts: { dial: 100 } });
      expect((await RawClient.handshake({ port: proxy.port })).status).toBe(504);
    } finally {
      await nowhere.close();
    }
  });
});

describe('no tunnel without a 101', () => {
  it.each([
    ['200 with keep-alive and a length', 'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'],
    [
      '200 that claims to upgrade',
      'HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nok',
    ],
    ['204 without a body', 'HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n'],
    ['426 with keep-alive', 'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n'],
  ])('%s, and then data: the data stays behind, and nothing of the client reaches the target', async (_what, head) => {
    const smuggled = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret';
    const upstream = await startUpstream({ onUpgrade: (_head, peer) => peer.sendRaw(head + smuggled) });
    const proxy = await startProxy({ target: upstream.url });
    const second = 'GET /admin HTTP/1.1\r\nHost: inside\r\n\r\n';
    const answer = await RawClient.handshake({ port: proxy.port, head: Buffer.from(second) });
    expect(answer.client).toBe(undefined);
    expect(answer.head + answer.body).not.toContain('secret');
    expect(answer.headers.connection).toContain('close');
    expect(await answer.waitForEnd()).toBe('fin');
    const [peer] = upstream.peers;
    await eventually(() => peer?.ended !== undefined, 'the connection to the target is given up');
    expect(peer?.bytesReceived).toBe(Buffer.byteLength(peer?.requestHead ?? ''));
  });

  it('100 and 103 before the 101 are not taken for it', async () => {
    const upstream = await startUpstream({
      onUpgrade: (_head, peer) => {
        peer.sendRaw('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
        peer.accept({ firstBytes: text('first') });
      },
    });
    const proxy = await startProxy({ target: upstream.url });
    const client = await openClient({ port: proxy.port });
    expect(await client.nextText()).toBe('first');
  });
});
