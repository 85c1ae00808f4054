/** Owns whose PROXY protocol header is believed, what follows from it, and what happens to everyone else, over plain TCP and before TLS. */
import { describe, expect, it } from 'vitest';
import { encodeProxyHeader } from '../../src/protocol/write-proxy-header.js';
import { openTcp } from '../support/for-one-test.js';
import { RawClient, requestBytes } from '../support/raw-client.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { localhostCertificate } from '../support/tls.js';
import { startReceivers } from './stage.js';

const CLIENT = {
  sourceAddress: '203.0.113.7',
  sourcePort: 4711,
  destinationAddress: '198.51.100.1',
  destinationPort: 443,
};
const HEADERS = ['v1', 'v2'] as const;

function listening(proxyProtocol: 'required' | 'optional' | 'off', more = {}) {
  return { listen: { host: '127.0.0.1', port: 0, proxyProtocol, ...more }, trustedProxies: ['127.0.0.1'] };
}

/** A handshake with something before it, cut into pieces. */
async function handshakeBehind(port: number, before: Uint8Array, pieces = 1) {
  const connection = await openTcp({ port });
  const bytes = Buffer.concat([before, requestBytes({ port })]);
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) {
    connection.write(bytes.subarray(at, at + size));
    await connection.drained();
  }
  return connection;
}

describe.each(HEADERS)('a PROXY protocol header, version %s, of a trusted proxy', (version) => {
  const header = encodeProxyHeader(version, CLIENT);

  it.each(['required', 'optional'] as const)('names the client where it is %s', async (mode) => {
    const { create, receivers } = receiverFactory({});
    const { port, server } = await startReceivers({ ...listening(mode), receiver: create });
    const connection = await handshakeBehind(port, header);
    expect((await connection.readUntil('\r\n\r\n')).toString()).toMatch(/^HTTP\/1\.1 101 /);
    expect(receivers[0]?.request).toMatchObject({
      remoteAddress: '203.0.113.7',
      remotePort: 4711,
      localAddress: '198.51.100.1',
      localPort: 443,
      peerAddress: '127.0.0.1',
    });
    expect(server.snapshot().connections[0]?.remoteAddress).toBe('203.0.113.7');
  });

  it('may come byte by byte', async () => {
    const { create, receivers } = receiverFactory({});
    const { port } = await startReceivers({ ...listening('required'), receiver: create });
    const connection = await handshakeBehind(port, header, 400);
    expect((await connection.readUntil('\r\n\r\n')).toString()).toMatch(/^HTTP\/1\.1 101 /);
    expect(receivers[0]?.request?.remoteAddress).toBe('203.0.113.7');
  });

  it('comes before TLS', async () => {
    const { create, receivers } = receiverFactory({});
    const { port } = await startReceivers({
      ...listening('required', { tls: localhostCertificate }),
      receiver: create,
    });
    const transport = await openTcp({ port });
    transport.write(header);
    const { connect } = await import('node:tls');
    const secure = connect({ socket: transport.socket, servername: 'localhost', ca: localhostCertificate.cert });
    const answer = new Promise<string>((resolve, reject) => {
      secure.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      secure.once('error', reject);
    });
    secure.write(requestBytes({ port }));
    expect(await answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(receivers[0]?.request).toMatchObject({
      remoteAddress: '203.0.113.7',
      peerAddress: '127.0.0.1',
      tls: { servername: 'localhost' },
    });
    secure.destroy();
  });

  it('comes before plain TCP', async () => {
    const { create, receivers } = receiverFactory({});
    const { port } = await startReceivers({ ...listening('required', { protocol: 'tcp' }), receiver: create });
    const connection = await openTcp({ port });
    connection.write(Buffer.concat([header, Buffer.from('first words')]));
    connection.end();
    await connection.waitForEnd();
    expect(await receivers[0]?.waitFor('binary')).toEqual(['binary', Buffer.from('first words')]);
    expect(receivers[0]?.request).toMatchObject({ transport: 'tcp', remoteAddress: '203.0.113.7' });
  });

  it('may say nothing about the client', async () => {
    const { create, receivers } = receiverFactory({});
    const { port } = await startReceivers({ ...listening('required'), receiver: create });
    const connection = await handshakeBehind(port, encodeProxyHeader(version, { ...CLIENT, sourceAddress: '' }));
    expect((await connection.readUntil('\r\n\r\n')).toString()).toMatch(/^HTTP\/1\.1 101 /);
    expect(receivers[0]?.request?.remoteAddress).toBe('127.0.0.1');
  });

  it('is subject to the admission of whom it names', async () => {
    const { port, server, events } = await startReceivers({
      ...listening('required'),
      admission: { deny: ['203.0.113.0/24'] },
    });
    const connection = await handshakeBehind(port, header);
    expect((await connection.readAll()).length).toBe(0);
    expect(events.rejections.all).toMatchObject([{ error: 'ADDRESS_DENIED', remoteAddress: '203.0.113.7' }]);
    expect(server.connections).toEqual([]);
  });

  it('is refused of anyone else, and where it is off', async () => {
    for (const mode of ['required', 'optional', 'off'] as const) {
      const options = { ...listening(mode), trustedProxies: ['192.0.2.1'] };
      const { port, events } = await startReceivers(options);
      const connection = await handshakeBehind(port, header);
      const answer = (await connection.readAll()).toString();
      if (mode === 'off') expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      else expect(answer).toBe('');
      expect(await events.rejections.next()).toMatchObject({ error: 'BAD_PROXY_HEADER', remoteAddress: '127.0.0.1' });
    }
  });
});

describe('a connection without a PROXY protocol header', () => {
  it('is taken as it is where the header is optional', async () => {
    const { create, receivers } = receiverFactory({});
    const { open } = await startReceivers({ ...listening('optional'), receiver: create });
    await open();
    expect(receivers[0]?.request?.remoteAddress).toBe('127.0.0.1');
  });

  it.each(['GET / HTTP/1.1\r\n', 'PROXY TCP4 nonsense\r\n', '\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c'])(
    'is refused where the header is required: %j',
    async (text) => {
      const { port, events } = await startReceivers(listening('required'));
      const connection = await openTcp({ port });
      connection.write(Buffer.from(text, 'latin1'));
      expect((await connection.readAll()).length).toBe(0);
      expect(await events.rejections.next()).toMatchObject({ error: 'BAD_PROXY_HEADER' });
    },
  );

  it('has as long as a handshake has', async () => {
    const { port, events } = await startReceivers({ ...listening('required'), timeouts: { handshake: 40 } });
    const connection = await openTcp({ port });
    connection.write('PROXY ');
    await connection.waitForEnd();
    expect(await events.rejections.next()).toMatchObject({
      error: 'HANDSHAKE_TIMEOUT',
      message: expect.stringContaining('PROXY'),
    });
  });

  it('that ends within the header is refused, and one that never began is not worth a word', async () => {
    const { port, events } = await startReceivers(listening('required'));
    const silent = await openTcp({ port });
    silent.end();
    await silent.waitForEnd();
    const cut = await openTcp({ port });
    cut.end('PROXY TCP4 ');
    await cut.waitForEnd();
    await events.rejections.next();
    expect(events.rejections.all).toMatchObject([
      { error: 'BAD_PROXY_HEADER', message: expect.stringContaining('cut') },
    ]);
  });
});

it('a wrong first line behind the header is answered like any other', async () => {
  const { port } = await startReceivers(listening('required'));
  const answer = await RawClient.handshake({
    port,
    rawRequest: Buffer.concat([encodeProxyHeader('v2', CLIENT), Buffer.from('GET nothing\r\n\r\n')]),
  });
  expect(answer.status).toBe(400);
});
