/** Owns what a probe makes of every way in which a listener can answer, or not. */
import net from 'node:net';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { boundAddress } from '../../../src/server/listener/listen-address.js';
import { SelfProbe } from '../../../src/server/watchdog/self-probe.js';
import { refusedPort } from '../../support/tcp-peer.js';
import { localhostCertificate } from '../../support/tls.js';

function listening(server: net.Server): Promise<net.AddressInfo> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address() as net.AddressInfo));
  });
}

async function probeOf(server: net.Server, { secure = false, timeout = 2000 } = {}): Promise<SelfProbe> {
  return new SelfProbe({ address: boundAddress(await listening(server), secure), secure, timeout });
}

describe('a probe', () => {
  it('is content with any answer', async () => {
    const probe = await probeOf(net.createServer((socket) => socket.write('x')));
    expect(await probe.verdict).toBe('answers');
  });

  it('asks a question of HTTP that every server has an answer to', async () => {
    const asked: string[] = [];
    const server = net.createServer((socket) => {
      socket.on('data', (bytes) => {
        asked.push(bytes.toString());
        socket.end('HTTP/1.1 426 Upgrade Required\r\n\r\n');
      });
    });
    expect(await (await probeOf(server)).verdict).toBe('answers');
    expect(asked.join('')).toMatch(/^OPTIONS \* HTTP\/1\.1\r\nHost: [^\r]+\r\n[\s\S]*\r\n\r\n$/);
  });

  it('speaks TLS, and is content with a certificate that nobody trusts', async () => {
    const server = tls.createServer(localhostCertificate, (socket) => socket.end('x'));
    expect(await (await probeOf(server, { secure: true })).verdict).toBe('answers');
  });

  it('is content with a listener that refuses it in TLS', async () => {
    const server = tls.createServer({ ...localhostCertificate, requestCert: true, rejectUnauthorized: true });
    server.on('tlsClientError', () => {});
    expect(await (await probeOf(server, { secure: true })).verdict).toBe('answers');
  });

  it.each([false, true])('finds one silent that says nothing in time (TLS: %s)', async (secure) => {
    const probe = await probeOf(net.createServer(), { secure, timeout: 50 });
    expect(await probe.verdict).toBe('silent');
  });

  it('finds an address silent where nobody listens', async () => {
    const address = boundAddress({ address: '127.0.0.1', family: 'IPv4', port: await refusedPort() }, false);
    expect(await new SelfProbe({ address, secure: false, timeout: 2000 }).verdict).toBe('silent');
  });

  it('knows nothing of one that hangs up, or when it is called off', async () => {
    expect(await (await probeOf(net.createServer((socket) => socket.destroy()))).verdict).toBe('unknown');
    const probe = await probeOf(net.createServer());
    probe.cancel();
    expect(await probe.verdict).toBe('unknown');
  });

  it('blames nobody when the process itself stood still', async () => {
    const probe = await probeOf(net.createServer(), { timeout: 20 });
    const until = performance.now() + 120;
    while (performance.now() < until);
    expect(await probe.verdict).toBe('unknown');
  });

  it('is known to its server before that can have accepted it', async () => {
    const seen: boolean[] = [];
    let probe: SelfProbe | undefined;
    const server = net.createServer((socket) => {
      seen.push(probe?.is(socket.remoteAddress ?? '', socket.remotePort ?? 0) === true);
      seen.push(probe?.is(socket.remoteAddress ?? '', 1) === true);
      socket.end('x');
    });
    const address = boundAddress(await listening(server), false);
    for (let round = 0; round < 20; round += 1) {
      probe = new SelfProbe({ address, secure: false, timeout: 2000 });
      await probe.verdict;
    }
    expect(seen).toEqual(Array.from({ length: 20 }, () => [true, false]).flat());
  });
});
