/** Owns HAProxy as a real sender of PROXY protocol headers, both versions, in TCP mode and with TLS passed through. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startReceivers } from '../server/stage.js';
import { eventually } from '../support/events.js';
import { openClient, openTcp } from '../support/for-one-test.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { findHaproxy } from '../support/services.js';
import { connectTcp, refusedPort } from '../support/tcp-peer.js';
import { localhostCertificate } from '../support/tls.js';

const haproxy = findHaproxy();
const program = haproxy.missing === undefined ? haproxy.path : '';

/** Starts a HAProxy that sends on what it gets, with a header. Answers with its port. */
async function startHaproxy(sendTo: number, header: string): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'tidegate-haproxy-'));
  const port = await refusedPort();
  const file = join(directory, 'haproxy.cfg');
  const config = [
    'defaults',
    '  mode tcp',
    '  timeout connect 5s',
    '  timeout client 30s',
    '  timeout server 30s',
    'listen in',
    `  bind 127.0.0.1:${port}`,
    `  server out 127.0.0.1:${sendTo} ${header}`,
  ];
  await writeFile(file, `${config.join('\n')}\n`);
  const child = spawn(program, ['-db', '-f', file], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(directory, { recursive: true, force: true });
  });
  await eventually(async () => {
    const connection = await connectTcp({ port }).catch(() => undefined);
    connection?.destroy();
    return connection !== undefined;
  }, 'HAProxy listens');
  return port;
}

describe.skipIf(haproxy.missing !== undefined)('behind HAProxy', () => {
  it.each(['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c,unique-id', 'send-proxy-v2-ssl'])(
    'the client is known with %s',
    async (header) => {
      const { create, receivers } = receiverFactory({
        onText: (text, receiver) => void receiver.connection.send(text),
      });
      const { port } = await startReceivers({
        listen: { host: '127.0.0.1', port: 0, proxyProtocol: 'required' },
        trustedProxies: ['127.0.0.1'],
        receiver: create,
      });
      const front = await startHaproxy(port, header);
      // Another address than that of HAProxy, which is the one that connects to us.
      const client = await openClient({ port: front, localAddress: '127.0.0.2' });
      client.sendText('through');
      expect(await client.nextText()).toBe('through');
      const { request } = receivers.at(-1)!;
      expect(request).toMatchObject({
        remoteAddress: '127.0.0.2',
        peerAddress: '127.0.0.1',
        localAddress: '127.0.0.1',
        localPort: front,
      });
      client.destroy();
    },
  );

  it('TLS passes through it, and so do plain TCP clients', async () => {
    const { create, receivers } = receiverFactory({
      onBinary: (data, receiver) => void receiver.connection.send(data),
    });
    const { port } = await startReceivers({
      listen: {
        host: '127.0.0.1',
        port: 0,
        proxyProtocol: 'required',
        tls: localhostCertificate,
        plain: true,
        protocol: 'any',
      },
      trustedProxies: ['127.0.0.1'],
      receiver: create,
    });
    const front = await startHaproxy(port, 'send-proxy-v2');
    const tls = { servername: 'localhost', ca: localhostCertificate.cert };
    const secure = await openClient({ port: front, tls, localAddress: '127.0.0.3' });
    secure.sendBinary(Buffer.from('in TLS'));
    expect((await secure.nextBinary()).toString()).toBe('in TLS');
    const plain = await openTcp({ port: front, localAddress: '127.0.0.4' });
    plain.write('SSH-2.0-x\r\n');
    expect((await plain.readUntil('\n')).toString()).toBe('SSH-2.0-x\r\n');
    expect(
      receivers.map(({ request }) => [request?.transport, request?.remoteAddress, request?.tls?.servername]),
    ).toEqual([
      ['websocket', '127.0.0.3', 'localhost'],
      ['tcp', '127.0.0.4', undefined],
    ]);
  });
});
