/** Owns what a request that is no handshake is answered: once, completely, whatever follows it, on both socket layers. */
import net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConnectionReceiver, ReceiverServer, type RejectedUpgrade } from '../../../src/index.js';
import { connectTcp } from '../../support/tcp-connection.js';
import { localhostCertificate } from '../../support/tls.js';
import { LAYERS } from '../../support/wires.js';

interface Stage {
  readonly port: number;
  readonly rejected: RejectedUpgrade[];
}

async function start(io: 'portable' | 'fast', secure = false): Promise<Stage> {
  const rejected: RejectedUpgrade[] = [];
  const listen = { host: '127.0.0.1', port: 0, ...(secure ? { tls: localhostCertificate } : {}) };
  const server = new ReceiverServer({ listen, io, receiver: () => new ConnectionReceiver() });
  server.on('rejected', (info) => void rejected.push(info));
  await server.start();
  onTestFinished(() => server.stop({ drainTimeout: 0 }).then(() => {}));
  return { port: server.addresses[0]!.port, rejected };
}

/** Sends bytes and answers with everything that came back until the server ended the connection in order. */
async function exchange(port: number, text: string, secure = false): Promise<string> {
  const client = await connectTcp({ port, ...(secure ? { tls: true as const } : {}) });
  onTestFinished(() => client.destroy());
  client.write(text);
  const answer = (await client.readAll()).toString('latin1');
  client.end();
  return answer;
}

const upgrade = (extra: string): string =>
  `GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${extra}\r\n`;

describe.each(LAYERS.map(({ kind }) => kind))('a request that is no handshake, on the %s layer', (io) => {
  it.each([
    ['HEAD', 'HEAD / HTTP/1.1\r\nHost: h\r\n\r\n', /426 [\s\S]*\r\n\r\n$/],
    ['CONNECT', 'CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n', /426 [\s\S]*\r\n\r\n./],
    ['an unknown expectation', 'GET / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n', /426 [\s\S]*\r\n\r\n./],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', /426 [\s\S]*\r\n\r\n./],
    [
      'two requests at once',
      'GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n',
      /426 [\s\S]*\r\n\r\n[^\n]+\n$/,
    ],
    ['a request without Host', 'GET / HTTP/1.1\r\n\r\n', /426 [\s\S]*\r\n\r\n./],
    ['an upgrade that Connection does not name', 'GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n', /426 /],
    ['an upgrade to another protocol', upgrade('').replace('websocket', 'h2c'), /426 /],
  ])('is answered once and completely: %s', async (_, text, answer) => {
    const { port, rejected } = await start(io);
    expect(await exchange(port, text)).toMatch(answer);
    expect(rejected).toMatchObject([{ error: 'NOT_AN_UPGRADE', status: 426, remoteAddress: '127.0.0.1' }]);
  });

  it.each([
    ['TCP', false],
    ['TLS', true],
  ])('is answered 426 with one line of help over %s, even if half a megabyte follows', async (_, secure) => {
    const { port, rejected } = await start(io, secure);
    const body = 'x'.repeat(500_000);
    const answer = await exchange(
      port,
      `POST /y?z HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n${body}`,
      secure,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
    expect(answer).toMatch(/\r\nUpgrade: websocket\r\n[\s\S]*\r\n\r\nThis port speaks WebSocket[^\n]*\n$/);
    expect(rejected).toMatchObject([{ error: 'NOT_AN_UPGRADE', status: 426, path: '/y' }]);
  });

  it.each([
    ['a whole body', 4],
    ['an endless body', 1_000_000],
  ])('is answered 400 if it is an upgrade with %s', async (_, length) => {
    const { port, rejected } = await start(io);
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
    const answer = await exchange(port, `${upgrade(`${key}Content-Length: ${length}\r\n`)}body`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(rejected).toMatchObject([{ error: 'BAD_HANDSHAKE', message: expect.stringContaining('Content-Length') }]);
  });

  it('is forgotten when its client resets instead of reading the answer', async () => {
    const { port, rejected } = await start(io);
    const client = net.connect(port, '127.0.0.1', () =>
      client.write('GET / HTTP/1.1\r\n\r\n', () => client.resetAndDestroy()),
    );
    onTestFinished(() => void client.destroy());
    await new Promise((resolve) => client.once('close', resolve));
    expect(await exchange(port, 'GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 426 /);
    expect(rejected.length).toBeGreaterThan(0);
  });
});
