/** Owns one port for clients that speak TLS and for clients that do not, told apart by their first byte. */
import { execFile } from 'node:child_process';
import { request } from 'node:https';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { ReceiverServer } from '../../src/index.js';
import { waitForEvent } from '../support/events.js';
import { openTcp } from '../support/for-one-test.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { findOpenssl } from '../support/services.js';
import { localhostCertificate } from '../support/tls.js';
import { startReceivers } from './stage.js';

const BOTH = { listen: { host: '127.0.0.1', port: 0, tls: localhostCertificate, plain: true } } as const;
const TRUST = { servername: 'localhost', ca: localhostCertificate.cert } as const;
const openssl = findOpenssl();

async function echoing(options = {}) {
  const { create, receivers } = receiverFactory({
    onBinary: (data, receiver) => void receiver.connection.send(data),
    onText: (text, receiver) => void receiver.connection.send(text),
  });
  return { ...(await startReceivers({ ...BOTH, receiver: create, ...options })), receivers };
}

describe('a listener for TLS and plain clients', () => {
  it('gives both the same answer, and says which has TLS', async () => {
    const { open, receivers } = await echoing();
    const plain = await open();
    const secure = await open({ tls: TRUST });
    for (const [client, word] of [
      [plain, 'plain'],
      [secure, 'secure'],
    ] as const) {
      client.sendText(word);
      expect(await client.nextText()).toBe(word);
    }
    expect(receivers.map(({ request: seen }) => seen?.tls?.servername)).toEqual([undefined, 'localhost']);
  });

  it('serves a client of its own making', async () => {
    const { port } = await echoing();
    for (const url of [`ws://127.0.0.1:${port}`, `wss://127.0.0.1:${port}`]) {
      const client = new WebSocket(url, TRUST);
      await waitForEvent(client, 'open');
      client.send('hello');
      const [data] = (await waitForEvent(client, 'message')) as unknown as [Buffer];
      expect(data.toString()).toBe('hello');
      client.close();
      await waitForEvent(client, 'close');
    }
  });

  it.skipIf('missing' in openssl)('serves openssl s_client', async () => {
    const { port } = await echoing({
      listen: { host: '127.0.0.1', port: 0, tls: localhostCertificate, plain: true, protocol: 'any' },
    });
    const run = promisify(execFile)(
      'missing' in openssl ? '' : openssl.path,
      ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', '-servername', 'localhost', '-no_ign_eof'],
      { timeout: 15_000 },
    );
    run.child.stdin?.write('SSH-2.0-inside-tls\n');
    const out = await new Promise<string>((resolve) => run.child.stdout?.once('data', (data) => resolve(String(data))));
    expect(out).toBe('SSH-2.0-inside-tls\n');
    run.child.stdin?.end();
    await run;
  });

  it('takes a handshake that comes byte by byte, both ways', async () => {
    const { port } = await echoing();
    const connection = await openTcp({ port });
    for (const byte of 'GET / HTTP/1.1\r\nHost: h\r\n\r\n') {
      connection.write(byte);
      await connection.drained();
    }
    expect((await connection.readAll()).toString()).toMatch(/^HTTP\/1\.1 426 /);
    const answer = await new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, ...TRUST, path: '/' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject).end();
    });
    expect(answer).toBe(426);
  });

  it('reports TLS that fails, and goes on', async () => {
    const { port, events, open } = await echoing();
    const connection = await openTcp({ port });
    connection.write(Buffer.from('160301000501000001ff', 'hex'));
    await connection.waitForEnd();
    expect(await events.rejections.next()).toMatchObject({ error: 'BAD_HANDSHAKE', remoteAddress: '127.0.0.1' });
    const leaving = await openTcp({ port });
    leaving.write(Buffer.from('160301', 'hex'));
    leaving.end();
    await leaving.waitForEnd();
    expect(await events.rejections.next()).toMatchObject({ error: 'BAD_HANDSHAKE' });
    await open({ tls: TRUST });
  });

  it.each(['', '\x16', '\x16\x03'])('cuts a client at the deadline that sends %j and nothing more', async (start) => {
    const { port, events } = await echoing({ timeouts: { handshake: 60 } });
    const connection = await openTcp({ port });
    if (start !== '') connection.write(Buffer.from(start, 'latin1'));
    await connection.waitForEnd();
    expect(await events.rejections.next()).toMatchObject({ error: 'HANDSHAKE_TIMEOUT' });
  });

  it('leaves nothing behind when it stops, wherever its clients are', async () => {
    const { port, server, open } = await echoing();
    const clients = [await openTcp({ port }), await openTcp({ port })];
    clients[1]?.write(Buffer.from('1603', 'hex'));
    const secure = await open({ tls: TRUST });
    await open();
    const ended = [...clients.map((client) => client.waitForEnd()), secure.waitForEnd()];
    await server.stop({ drainTimeout: 0 });
    await Promise.all(ended);
  });

  it('carries a plain TCP client inside TLS', async () => {
    const { port } = await echoing({ listen: { ...BOTH.listen, protocol: 'any' } });
    const inside = await openTcp({ port, tls: TRUST });
    inside.write('SSH-2.0-x\r\n');
    expect((await inside.readUntil('\n')).toString()).toBe('SSH-2.0-x\r\n');
    const bytes = Buffer.alloc(500_000, 3);
    inside.write(bytes);
    expect((await inside.read(bytes.length)).equals(bytes)).toBe(true);
    inside.end();
    await expect(inside.waitForEnd()).resolves.toBe('fin');
  });

  it('is not made where TLS is off', () => {
    expect(
      () => new ReceiverServer({ listen: { port: 0, plain: true, tls: false }, receiver: receiverFactory().create }),
    ).toThrow(/listen\.plain: got true; expected TLS/);
  });
});
