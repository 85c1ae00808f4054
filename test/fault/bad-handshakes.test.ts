/** Owns how requests that are no valid handshake are answered by a running server (RFC 6455 section 4.2). */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { Opcode, RawClient, type RawClientOptions, requestBytes } from '../support/raw-client.js';
import { QuietReceiver, receiverFactory } from '../support/recording-receiver.js';
import { connectTcp } from '../support/tcp-peer.js';
import { openClient, startProxy, startReceiverServer, startTcpPeer, startUpstream } from './running.js';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** A valid handshake as text, to be changed. */
function request(port: number): string {
  return requestBytes({ port }, KEY).toString('latin1');
}

const REFUSED: readonly (readonly [what: string, options: Partial<RawClientOptions>, status: number])[] = [
  ['version 8', { headers: { 'Sec-WebSocket-Version': '8' } }, 426],
  ['version 12', { headers: { 'Sec-WebSocket-Version': '12' } }, 426],
  ['a list of versions', { headers: { 'Sec-WebSocket-Version': '13, 8' } }, 426],
  ['no version', { omitHeaders: ['Sec-WebSocket-Version'] }, 426],
  ['no key', { omitHeaders: ['Sec-WebSocket-Key'] }, 400],
  ['an empty key', { headers: { 'Sec-WebSocket-Key': '' } }, 400],
  ['a key of 15 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') } }, 400],
  ['a key of 17 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') } }, 400],
  ['a key that is no base64', { headers: { 'Sec-WebSocket-Key': '!'.repeat(24) } }, 400],
  ['two keys', { headers: [`Sec-WebSocket-Key: ${KEY}`, `Sec-WebSocket-Key: ${KEY}`] }, 400],
  ['two versions', { headers: ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 13'] }, 400],
  ['no Connection', { omitHeaders: ['Connection'] }, 426],
  ['a Connection that names something else', { headers: { Connection: 'keep-alive' } }, 426],
  ['no Upgrade', { omitHeaders: ['Upgrade'] }, 426],
  ['an upgrade to something else', { headers: { Upgrade: 'h2c' } }, 426],
  ['no Host', { omitHeaders: ['Host'] }, 400],
  ['two Hosts', { headers: ['Host: a', 'Host: b'] }, 400],
  ['the method POST', { method: 'POST' }, 400],
  ['a body', { headers: { 'Content-Length': '5' } }, 400],
  ['a body in chunks', { headers: { 'Transfer-Encoding': 'chunked' } }, 400],
  ['a malformed list of subprotocols', { headers: { 'Sec-WebSocket-Protocol': 'a,,b' } }, 400],
  ['a subprotocol offered twice', { headers: { 'Sec-WebSocket-Protocol': 'a, a' } }, 400],
  ['malformed extensions', { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; =1' } }, 400],
];

describe('a request that is no valid handshake', () => {
  for (const [what, options, status] of REFUSED) {
    it(`with ${what} gets ${status}, and no receiver hears of it`, async () => {
      const receivers = receiverFactory(() => new QuietReceiver());
      const server = await startReceiverServer({ receiver: receivers.create });
      const answer = await RawClient.handshake({ port: server.port, ...options });
      expect(answer.status).toBe(status);
      expect(answer.headers.connection).toContain('close');
      expect(answer.body).not.toBe('');
      if (status === 426) {
        expect(answer.headers).toMatchObject({ 'sec-websocket-version': '13', upgrade: 'websocket' });
      }
      expect(await answer.waitForEnd()).toBe('fin');
      expect((await server.rejected.next()).status).toBe(status);
      expect(receivers.receivers).toEqual([]);
    });
  }

  it('in HTTP/1.0 is refused', async () => {
    const server = await startReceiverServer({ receiver: () => new QuietReceiver() });
    const rawRequest = request(server.port).replace('HTTP/1.1', 'HTTP/1.0');
    const answer = await RawClient.handshake({ port: server.port, rawRequest });
    expect([400, 426]).toContain(answer.status);
    expect(answer.client).toBe(undefined);
  });

  it.each(['GET', 'POST', 'OPTIONS', 'DELETE'])('plain HTTP (%s) gets 426 and a line of help', async (method) => {
    const server = await startReceiverServer({ receiver: () => new QuietReceiver() });
    const connection = await connectTcp({ port: server.port });
    connection.write(`${method} /page HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    const answer = (await connection.readAll()).toString();
    expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
    expect(answer).toContain('connect with a WebSocket client');
    connection.destroy();
  });

  it.each([
    ['rubbish', 'the tide comes in\r\n\r\n'],
    ['a TLS greeting', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
    ['a header with a bare line feed', 'GET / HTTP/1.1\r\nHost: a\nX: y\r\nBad\r\n\r\n'],
    ['a header name with a space', 'GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n'],
  ])('%s gets 400, and the server goes on', async (_what, bytes) => {
    const server = await startReceiverServer({ receiver: () => new QuietReceiver() });
    const connection = await connectTcp({ port: server.port });
    connection.write(Buffer.from(bytes, 'latin1'));
    expect((await connection.readAll()).toString()).toMatch(/^HTTP\/1\.1 400 /);
    connection.destroy();
    await openClient({ port: server.port });
  });

  it('larger than limits.maxHandshakeBytes gets 431', async () => {
    const server = await startReceiverServer({
      receiver: () => new QuietReceiver(),
      limits: { maxHandshakeBytes: 2048 },
    });
    const large = await RawClient.handshake({ port: server.port, headers: { Cookie: 'c'.repeat(4000) } });
    expect(large.status).toBe(431);
    expect(await server.rejected.next()).toMatchObject({ error: 'HANDSHAKE_TOO_BIG' });
    await openClient({ port: server.port, headers: { Cookie: 'c'.repeat(1000) } });
  });
});

describe('P8: the handshake has a deadline', () => {
  it('a client that says nothing is cut, without an answer', async () => {
    const server = await startReceiverServer({ receiver: () => new QuietReceiver(), timeouts: { handshake: 100 } });
    const connection = await connectTcp({ port: server.port });
    await connection.waitForEnd();
    expect(connection.bytesReceived).toBe(0);
    expect(await server.rejected.next()).toMatchObject({ error: 'HANDSHAKE_TIMEOUT' });
    connection.destroy();
  });

  it('a request that never ends gets 408, however many bytes come', async () => {
    const server = await startReceiverServer({ receiver: () => new QuietReceiver(), timeouts: { handshake: 200 } });
    const connection = await connectTcp({ port: server.port });
    connection.write('GET / HTTP/1.1\r\nHost: a\r\n');
    const drip = setInterval(() => connection.write('X: y\r\n'), 20);
    try {
      expect((await connection.readAll()).toString()).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      clearInterval(drip);
      connection.destroy();
    }
  });

  it('a head that took its time leaves less of the deadline to the decision', async () => {
    class Undecided extends QuietReceiver {
      override onUpgradeRequest = () => new Promise<boolean>(() => {});
    }
    const server = await startReceiverServer({ receiver: () => new Undecided(), timeouts: { handshake: 2000 } });
    const connection = await connectTcp({ port: server.port });
    const begun = performance.now();
    const bytes = request(server.port);
    connection.write(bytes.slice(0, 40));
    setTimeout(() => connection.write(bytes.slice(40)), 1500);
    expect((await connection.readAll()).toString()).toMatch(/^HTTP\/1\.1 503 /);
    expect(performance.now() - begun).toBeLessThan(3400);
    connection.destroy();
  });

  it('P3: two hundred silent connections are all cut, and hold nobody up', async () => {
    const server = await startReceiverServer({ receiver: () => new QuietReceiver(), timeouts: { handshake: 300 } });
    const silent = await Promise.all(Array.from({ length: 200 }, () => connectTcp({ port: server.port })));
    await openClient({ port: server.port });
    await Promise.all(silent.map((connection) => connection.waitForEnd()));
    await eventually(() => server.rejected.all.length === 200, 'each was reported');
    for (const connection of silent) connection.destroy();
  });
});

describe('what follows a handshake is frames', () => {
  it('a second request in the same segment is a violation, and never HTTP', async () => {
    const upstream = await startUpstream();
    const proxy = await startProxy({ target: upstream.url });
    const client = await openClient({ port: proxy.port, head: Buffer.from(request(proxy.port)) });
    expect((await client.answerClose()).code).toBe(1002);
    const peer = await upstream.nextConnection();
    expect((await peer.nextFrame()).opcode).toBe(Opcode.Close);
    expect(upstream.accepted).toBe(1);
    expect(proxy.rejected.all).toEqual([]);
  });

  it('so it is toward a TCP target, which gets none of it', async () => {
    const target = await startTcpPeer();
    const proxy = await startProxy({ target: target.url });
    const client = await openClient({ port: proxy.port, head: Buffer.from(request(proxy.port)) });
    expect((await client.answerClose()).code).toBe(1002);
    const peer = await target.nextConnection();
    expect((await peer.readAll()).length).toBe(0);
  });
});
