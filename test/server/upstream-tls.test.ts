/** Owns TLS towards targets: our certificate, versions, sessions that are used again, and a polite end. */

import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProxyServer, type ProxyServerOptions } from '../../src/index.js';
import { programPath } from '../support/proxies.js';
import { localhostCertificate, otherCertificate } from '../support/tls.js';
import { startProxy } from './stage.js';

const { cert: ca } = localhostCertificate;
const { cert, key } = otherCertificate;
const passphrase = 'correct horse';
const encrypted = createPrivateKey(key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
  .toString();

/** A TLS server that echoes, and what it saw of each connection. */
async function startTls(options: tls.TlsOptions = {}) {
  const seen: Array<{ name: string | undefined; version: string | null; resumed: boolean; sni: unknown }> = [];
  const server = tls.createServer({ ...localhostCertificate, ...options }, (socket) => {
    const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string } };
    const sni: unknown = 'servername' in socket ? socket.servername : undefined;
    seen.push({ name: subject?.CN, version: socket.getProtocol(), resumed: socket.isSessionReused(), sni });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as net.AddressInfo).port, seen };
}

async function echo({ open }: Awaited<ReturnType<typeof startProxy>>): Promise<void> {
  const client = await open();
  client.sendBinary(Buffer.from('x'));
  expect((await client.nextBinary()).toString()).toBe('x');
  client.sendClose(1000);
  await client.answerClose();
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tidegate-upstream-tls-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

const asksForOne = { requestCert: true, rejectUnauthorized: true, ca: cert };

describe('our certificate', () => {
  it.each<[string, ProxyServerOptions['upstreamTls']]>([
    ['as PEM', { cert, key }],
    ['with an encrypted key', { cert, key: encrypted, passphrase }],
  ])('is shown to a target that asks for it, %s', async (_, upstreamTls) => {
    const { port, seen } = await startTls(asksForOne);
    await echo(await startProxy({ target: `tls://localhost:${port}`, upstreamTls: { ca, ...upstreamTls } }));
    expect(seen[0]?.name).toBe('other.example');
  });

  it('may stand in files', async () => {
    const { port, seen } = await startTls(asksForOne);
    const at = await folder();
    const files = { ca: join(at, 'ca.pem'), cert: join(at, 'cert.pem'), key: join(at, 'key.pem') };
    for (const [name, text] of Object.entries({ ca, cert, key })) await writeFile(files[name as 'ca'], text);
    await echo(await startProxy({ target: `tls://localhost:${port}`, upstreamTls: files }));
    expect(seen[0]?.name).toBe('other.example');
  });

  it.skipIf(programPath('openssl') === undefined)('may be PKCS #12, as a file or as bytes', async () => {
    const { port, seen } = await startTls(asksForOne);
    const at = await folder();
    await writeFile(join(at, 'both.pem'), `${cert}\n${key}`);
    const pfx = join(at, 'both.pfx');
    execFileSync('openssl', [
      'pkcs12',
      '-export',
      '-in',
      join(at, 'both.pem'),
      '-out',
      pfx,
      '-passout',
      `pass:${passphrase}`,
    ]);
    for (const given of [pfx, readFileSync(pfx)]) {
      const upstreamTls = { ca, pfx: given, passphrase };
      await echo(await startProxy({ target: `tls://localhost:${port}`, upstreamTls }));
    }
    expect(seen.map(({ name }) => name)).toEqual(['other.example', 'other.example']);
  });

  it('that is missing is 502', async () => {
    const { port } = await startTls({ ...asksForOne, maxVersion: 'TLSv1.2' });
    const { handshake } = await startProxy({ target: `tls://localhost:${port}`, upstreamTls: { ca } });
    expect((await handshake()).status).toBe(502);
  });

  it.each<[object, string]>([
    [{ cert }, 'upstreamTls.key: got nothing; expected `key` and `cert`, both of them'],
    [{ key }, 'upstreamTls.cert: got nothing; expected `key` and `cert`, both of them'],
    [{ cert, key: localhostCertificate.key }, 'upstreamTls.cert: '],
    [{ cert, key: encrypted, passphrase: 'wrong secret' }, 'upstreamTls.cert: '],
    [
      { cert: '/no/such/file', key },
      'upstreamTls.cert: got "/no/such/file"; expected PEM text or the name of a readable file',
    ],
    [{ pfx: Buffer.from('nothing'), passphrase: 'wrong secret' }, 'upstreamTls.pfx: '],
    [{ pfx: 5 }, 'upstreamTls.pfx: got 5; expected the name of a file, or bytes'],
    [{ ciphers: 'NOTHING' }, 'upstreamTls.ciphers: got "NOTHING"'],
    [{ minVersion: 'TLSv1' }, "upstreamTls.minVersion: got \"TLSv1\"; expected 'TLSv1.2' or 'TLSv1.3'"],
  ])('that cannot be used is said before anything is dialled, and nothing secret with it', (upstreamTls, message) => {
    let said = '';
    try {
      new ProxyServer({ target: 'tls://a:1', upstreamTls });
    } catch (error) {
      said = String(error);
    }
    expect(said).toContain(message);
    expect(said).not.toMatch(/PRIVATE|wrong secret/);
  });
});

describe('TLS with a target', () => {
  it('is as new as is asked for', async () => {
    const { port } = await startTls({ maxVersion: 'TLSv1.2' });
    const target = `tls://localhost:${port}`;
    await echo(await startProxy({ target, upstreamTls: { ca } }));
    const { handshake, events } = await startProxy({ target, upstreamTls: { ca, minVersion: 'TLSv1.3' } });
    expect((await handshake()).status).toBe(502);
    expect(await events.rejections.next()).toMatchObject({ error: 'UPSTREAM_TLS_FAILED' });
  });

  it('names another host when it is told to', async () => {
    const { port, seen } = await startTls();
    await echo(await startProxy({ target: `tls://127.0.0.1:${port}`, upstreamTls: { ca, servername: 'localhost' } }));
    expect(seen[0]?.sni).toBe('localhost');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'uses its session again for the next connection, with %s',
    async (maxVersion) => {
      const { port, seen } = await startTls({ maxVersion });
      const proxy = await startProxy({ target: `tls://localhost:${port}`, upstreamTls: { ca } });
      for (let count = 0; count < 3; count += 1) await echo(proxy);
      expect(seen.map(({ resumed, version }) => [resumed, version])).toEqual([
        [false, maxVersion],
        [true, maxVersion],
        [true, maxVersion],
      ]);
    },
  );

  it('does not use it for another name', async () => {
    const { port, seen } = await startTls();
    const proxy = await startProxy({ target: `tls://localhost:${port}`, upstreamTls: { ca } });
    await echo(proxy);
    const other = await startProxy({ target: `tls://127.0.0.1:${port}`, upstreamTls: { ca } });
    await echo(other);
    expect(seen.map(({ resumed }) => resumed)).toEqual([false, false]);
  });

  it('ends with close_notify before the FIN', async () => {
    const { port } = await startTls({ maxVersion: 'TLSv1.2' });
    const chunks: Buffer[] = [];
    const relay = net.createServer({ allowHalfOpen: true }, (socket) => {
      const target = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      for (const end of [socket, target]) {
        end.on('error', () => {});
        onTestFinished(() => void end.destroy());
      }
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.pipe(target).pipe(socket);
      socket.on('end', () => relay.emit('ended'));
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    onTestFinished(() => void relay.close());
    const ended = once(relay, 'ended');
    const target = `tls://localhost:${(relay.address() as net.AddressInfo).port}`;
    await echo(await startProxy({ target, upstreamTls: { ca } }));
    await ended;
    const types: number[] = [];
    const bytes = Buffer.concat(chunks);
    for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at]!);
    // 22 is a handshake, 20 its change of ciphers, 23 what was said, and 21 an alert: here, "I am done".
    expect(types.slice(-2)).toEqual([23, 21]);
  });
});
