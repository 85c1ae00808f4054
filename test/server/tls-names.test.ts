/** Owns which certificate, version and protocol a TLS client gets, and what is said when it gets none. */
import type { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProxyServer, type ProxyServerOptions } from '../../src/index.js';
import { TestAuthority } from '../support/authority.js';
import { RawClient } from '../support/raw-client.js';
import { EventRecord, startProxy, stopAfterTest } from './stage.js';

const authority = new TestAuthority();
const issue = (...names: string[]) => {
  const { cert, key } = authority.issue({ names });
  return { cert, key };
};
const first = issue('localhost', '127.0.0.1');
const exact = issue('exact.example.org');
const wild = issue('*.example.org', 'example.org');
const ca = authority.cert;

const listenTls = (tls: NonNullable<ProxyServerOptions['tls']>) => ({ target: 'tcp://127.0.0.1:1', tls });

interface Shaken {
  /** Whom the server says it is, or the code of what went wrong. */
  readonly outcome: string;
  readonly socket: TLSSocket;
  readonly certificate?: X509Certificate | undefined;
}

/** Does a TLS handshake only. */
function shake(port: number, options: ConnectionOptions = {}): Promise<Shaken> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca, checkServerIdentity: () => undefined, ...options });
    onTestFinished(() => void socket.destroy());
    socket.on('error', (error: Error & { code?: string }) => resolve({ outcome: error.code ?? error.message, socket }));
    socket.once('secureConnect', () => {
      // Asked once: a client of Node.js 20 forgets it then.
      const certificate = socket.getPeerX509Certificate();
      resolve({ outcome: certificate?.subject ?? 'nobody', socket, certificate });
    });
  });
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

describe.each(VERSIONS)('a client that asks for a name over %s', (maxVersion) => {
  const given = { ...first, certificates: [exact, wild], maxVersion };

  it.each([
    ['localhost', 'CN=localhost'],
    ['exact.example.org', 'CN=exact.example.org'],
    ['EXACT.example.ORG', 'CN=exact.example.org'],
    ['other.example.org', 'CN=*.example.org'],
    ['example.org', 'CN=*.example.org'],
    ['a.b.example.org', 'CN=localhost'],
    ['unknown.example', 'CN=localhost'],
    ['', 'CN=localhost'],
  ])('%s gets %s', async (servername, outcome) => {
    const { port } = await startProxy(listenTls(given));
    expect((await shake(port, { servername })).outcome).toBe(outcome);
  });

  it('gets an alert for a name no certificate has, or none, when these are refused', async () => {
    const { port, events } = await startProxy(listenTls({ ...given, unknownName: 'refuse' }));
    for (const servername of ['unknown.example', '']) {
      expect((await shake(port, { servername })).outcome).toMatch(/^ERR_SSL_.*ALERT_HANDSHAKE_FAILURE$/);
      expect(await events.rejections.next()).toMatchObject({
        error: 'BAD_HANDSHAKE',
        remoteAddress: '127.0.0.1',
        message: expect.stringMatching(/certificate/),
      });
    }
    expect((await shake(port, { servername: 'exact.example.org' })).outcome).toBe('CN=exact.example.org');
  });

  it('gets the certificate whose names were given in the options', async () => {
    const { port } = await startProxy(
      listenTls({ ...first, certificates: [{ ...exact, names: ['given.example'] }], maxVersion }),
    );
    expect((await shake(port, { servername: 'given.example' })).outcome).toBe('CN=exact.example.org');
    expect((await shake(port, { servername: 'exact.example.org' })).outcome).toBe('CN=localhost');
  });
});

describe('several certificates', () => {
  it('may stand at the top, as flags give them', async () => {
    const { port } = await startProxy(listenTls({ cert: [first.cert, exact.cert], key: [first.key, exact.key] }));
    expect((await shake(port, { servername: 'exact.example.org' })).outcome).toBe('CN=exact.example.org');
    expect((await shake(port, { servername: 'localhost' })).outcome).toBe('CN=localhost');
  });

  it('for one name with keys of two kinds are both served, each to who can verify it', async () => {
    const rsa = authority.issue({ names: ['localhost'], keyType: 'rsa' });
    const ec = authority.issue({ names: ['localhost'] });
    const { port } = await startProxy(
      listenTls({ cert: [ec.cert, rsa.cert], key: [ec.key, rsa.key], maxVersion: 'TLSv1.2' }),
    );
    const kinds = await Promise.all(
      ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'].map(async (ciphers) => {
        const { certificate } = await shake(port, { servername: 'localhost', ciphers });
        return certificate?.publicKey.asymmetricKeyType;
      }),
    );
    expect(kinds).toEqual(['ec', 'rsa']);
  });

  it('that code chooses itself, with SNICallback of node:tls', async () => {
    const { createSecureContext } = await import('node:tls');
    const { port } = await startProxy(
      listenTls({ ...first, node: { SNICallback: (_name, answer) => answer(null, createSecureContext(exact)) } }),
    );
    expect((await shake(port, { servername: 'anything.example' })).outcome).toBe('CN=exact.example.org');
  });
});

describe('listeners', () => {
  it('are plain or TLS, each as it says, or as the server says', async () => {
    const server = new ProxyServer({
      target: 'tcp://127.0.0.1:1',
      tls: first,
      listen: ['127.0.0.1:0', { host: '127.0.0.1', port: 0, tls: false }, { host: '127.0.0.1', port: 0, tls: exact }],
    });
    stopAfterTest(server);
    const [inherited, plain, own] = await server.start();
    expect([inherited, plain, own].map((one) => one!.url.split(':')[0])).toEqual(['wss', 'ws', 'wss']);
    expect((await shake(inherited!.port)).outcome).toBe('CN=localhost');
    expect((await shake(own!.port)).outcome).toBe('CN=exact.example.org');
    expect((await RawClient.handshake({ port: plain!.port })).status).toBe(502);
  });

  it('speak TLS 1.2 and 1.3 and nothing older, unless told otherwise', async () => {
    const { port } = await startProxy(listenTls(first));
    const spoken = async (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => {
      const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      const { outcome, socket } = await shake(port, options);
      return outcome === 'CN=localhost' ? socket.getProtocol() : outcome;
    };
    expect(await spoken('TLSv1.2')).toBe('TLSv1.2');
    expect(await spoken('TLSv1.3')).toBe('TLSv1.3');
    expect(await spoken('TLSv1.1')).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('speak only the versions and ciphers they are told, and say so of a client that does not', async () => {
    const { port, events } = await startProxy(
      listenTls({ ...first, minVersion: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384', ecdhCurve: 'P-384' }),
    );
    expect((await shake(port, { maxVersion: 'TLSv1.2' })).outcome).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    expect((await events.rejections.next()).message).toMatch(/no version of TLS that is spoken here/);
    expect((await shake(port, { ciphers: 'TLS_AES_128_GCM_SHA256' })).outcome).toMatch(/HANDSHAKE_FAILURE/);
    expect((await events.rejections.next()).message).toMatch(/no cipher in common|cipher in common/);
    const { socket } = await shake(port);
    expect([socket.getCipher().name, socket.getEphemeralKeyInfo()]).toMatchObject([
      'TLS_AES_256_GCM_SHA384',
      { name: 'secp384r1' },
    ]);
  });
});

describe('the application protocol', () => {
  it('is http/1.1, also for a client that could speak HTTP/2, and no handshake for one that speaks only that', async () => {
    const { port, events } = await startProxy(listenTls(first));
    expect((await shake(port, { ALPNProtocols: ['h2', 'http/1.1'] })).socket.alpnProtocol).toBe('http/1.1');
    expect((await shake(port)).socket.alpnProtocol).toBe(false);
    expect((await shake(port, { ALPNProtocols: ['h2'] })).outcome).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    expect((await events.rejections.next()).message).toMatch(/no application protocol/);
  });

  it('is what onAlpn chooses among those offered', async () => {
    const asked: unknown[] = [];
    const { port } = await startProxy({
      ...listenTls(first),
      onAlpn: (protocols, servername) => {
        asked.push([...protocols], servername);
        return protocols.find((one) => one.startsWith('vnc'));
      },
    });
    const offer = { ALPNProtocols: ['http/1.1', 'vnc/2', 'vnc/1'], servername: 'localhost' };
    expect((await shake(port, offer)).socket.alpnProtocol).toBe('vnc/2');
    expect((await shake(port, { ALPNProtocols: ['x'] })).outcome).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    expect(asked).toEqual([['http/1.1', 'vnc/2', 'vnc/1'], 'localhost', ['x'], undefined]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      /broken/,
    ],
    ['answers what was not offered', () => 'h3', /onAlpn: got h3; expected one of a, b/],
  ])('fails its own handshake, and nothing else, when onAlpn %s', async (_what, onAlpn, told) => {
    const { port, events } = await startProxy({ ...listenTls(first), onAlpn });
    expect((await shake(port, { ALPNProtocols: ['a', 'b'] })).outcome).toBe(
      'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    );
    expect(String(await events.exceptions.next())).toMatch(told);
    expect((await shake(port)).outcome).toBe('CN=localhost');
  });
});

describe('a client that gets nowhere', () => {
  it('is told in plain HTTP that the port speaks TLS, and the log why', async () => {
    const { port, events } = await startProxy(listenTls(first));
    const answer = await RawClient.handshake({ port });
    expect([answer.status, answer.body]).toEqual([400, 'This port speaks TLS; connect with wss: or https:.\n']);
    expect(await events.rejections.next()).toMatchObject({
      status: 400,
      remoteAddress: '127.0.0.1',
      message: expect.stringContaining('plain HTTP was sent to a TLS port'),
    });
    expect(await answer.waitForEnd()).toBe('fin');
  });

  it('is said to distrust the certificate when it does', async () => {
    const { port, events } = await startProxy(listenTls(first));
    expect((await shake(port, { ca: undefined, servername: 'localhost' })).outcome).toMatch(/UNABLE_TO|SELF_SIGNED/);
    expect((await events.rejections.next()).message).toMatch(
      /the client (does not trust the certificate|left before it was done)/,
    );
  });
});

describe('the hooks of a secure context', () => {
  it('see and change what each is made from, and the context that was made', async () => {
    const seen: unknown[] = [];
    const server = new ProxyServer({
      ...listenTls({ ...first, certificates: [exact] }),
      listen: '127.0.0.1:0',
      onSecureContextOptions: (options, certificate) => {
        seen.push(['options', certificate?.names[0], options.minVersion]);
        return certificate?.names[0] === 'localhost' ? { ...options, minVersion: 'TLSv1.3' } : undefined;
      },
      onSecureContext: (context, certificate) => {
        seen.push(['context', certificate?.names[0], typeof context.context]);
      },
    });
    stopAfterTest(server);
    const [{ port } = { port: 0 }] = await server.start();
    expect(seen).toEqual([
      ['options', 'localhost', 'TLSv1.2'],
      ['context', 'localhost', 'object'],
      ['options', 'exact.example.org', 'TLSv1.2'],
      ['context', 'exact.example.org', 'object'],
    ]);
    expect((await shake(port, { maxVersion: 'TLSv1.2' })).outcome).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('fail the start when they throw', async () => {
    const onSecureContextOptions = (): never => {
      throw new Error('no key in the vault');
    };
    const server = new ProxyServer({ ...listenTls(first), listen: '127.0.0.1:0', onSecureContextOptions });
    stopAfterTest(server);
    await expect(server.start()).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringContaining('vault'),
    });
  });
});

describe('the event certificates', () => {
  it('tells what each TLS listener begins with, and warns of what has expired', async () => {
    const day = 86_400_000;
    const old = authority.issue({
      names: ['old.example'],
      from: new Date(Date.now() - 9 * day),
      to: new Date(Date.now() - day),
    });
    const server = new ProxyServer({ ...listenTls({ cert: old.cert, key: old.key }), listen: '127.0.0.1:0' });
    stopAfterTest(server);
    const record = new EventRecord(server);
    const told: unknown[] = [];
    server.on('certificates', (report) => told.push(report));
    await server.start();
    expect(told).toMatchObject([
      {
        listener: '127.0.0.1:0',
        result: 'loaded',
        certificates: [{ names: ['old.example'], fingerprint256: old.x509.fingerprint256 }],
        warnings: [expect.stringMatching(/^the certificate for old\.example expired on /)],
      },
    ]);
    expect(record.lines).toEqual(['startup 1']);
  });
});
