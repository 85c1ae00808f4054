/** Owns who is let in by a client certificate, what a receiver is told of it, and what the hook may change. */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProxyServerOptions, TlsHooks, UpgradeRequest } from '../../src/index.js';
import { TestAuthority } from '../support/authority.js';
import { deferred, waitForEvent } from '../support/events.js';
import { RawClient, requestBytes } from '../support/raw-client.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { startReceivers } from './stage.js';

const authority = new TestAuthority();
const stranger = new TestAuthority('Another CA');
const { cert, key } = authority.issue({ names: ['localhost'] });
const ada = authority.issue({ name: 'ada', names: ['email:ada@example.org', 'URI:spiffe://example.org/ada'] });
const bob = stranger.issue({ name: 'bob' });
const late = authority.issue({ name: 'late', from: new Date(Date.now() - 2e8), to: new Date(Date.now() - 1e8) });
const gone = authority.issue({ name: 'gone' });
const ca = authority.cert;

type Tls = NonNullable<ProxyServerOptions['tls']>;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

async function start(tls: Tls, hooks: TlsHooks & Pick<ProxyServerOptions, 'timeouts'> = {}) {
  const requests: UpgradeRequest[] = [];
  const receivers = receiverFactory({ onUpgradeRequest: (request) => void requests.push(request) });
  const running = await startReceivers({ receiver: receivers.create, tls: { cert, key, ...tls }, ...hooks });
  return { ...running, requests };
}

const by = (
  client?: { readonly cert: string; readonly key: string },
  more: ConnectionOptions = {},
): ConnectionOptions => ({
  ca,
  servername: 'localhost',
  ...(client === undefined ? {} : { cert: client.cert, key: client.key }),
  ...more,
});

describe.each(VERSIONS)('with clientAuth over %s', (maxVersion) => {
  it('require, a client with a certificate of the authority is let in, and the receiver told who it is', async () => {
    const { open, requests } = await start({ clientAuth: 'require', ca, maxVersion });
    await open({ tls: by(ada) });
    expect(requests[0]?.tls).toEqual({
      protocol: maxVersion,
      cipher: expect.stringMatching(/./),
      servername: 'localhost',
      alpnProtocol: undefined,
      resumed: false,
      authorized: true,
      peerName: 'ada',
      peerCertificate: {
        commonName: 'ada',
        subject: 'CN=ada',
        issuer: 'CN=Test CA',
        subjectAltNames: ['email:ada@example.org', 'URI:spiffe://example.org/ada'],
        serialNumber: ada.x509.serialNumber,
        fingerprint256: ada.x509.fingerprint256,
        validFrom: Date.parse(ada.x509.validFrom),
        validTo: Date.parse(ada.x509.validTo),
      },
    });
  });

  it.each([
    ['none', undefined, 'UNAUTHENTICATED', 'the client sent no certificate, and one is required'],
    ['one of another authority', bob, 'INVALID_CREDENTIALS', /does not verify: (UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/],
    ['one that has expired', late, 'INVALID_CREDENTIALS', /does not verify: CERT_HAS_EXPIRED/],
    ['one that was revoked', gone, 'INVALID_CREDENTIALS', /does not verify: CERT_REVOKED/],
  ])('require, a client with %s gets 403 and no receiver', async (_what, client, error, message) => {
    const { handshake, events, requests } = await start({
      clientAuth: 'require',
      ca,
      crl: authority.revoke(gone),
      maxVersion,
    });
    expect(await handshake({ tls: by(client) })).toMatchObject({
      status: 403,
      body: expect.stringMatching(
        /^(A client certificate is required\.|The client certificate does not verify: [A-Z_]+)\n$/,
      ),
    });
    const rejected = await events.rejections.next();
    expect(rejected).toMatchObject({ error, status: 403, remoteAddress: '127.0.0.1' });
    expect(rejected.message).toMatch(message);
    expect(requests).toEqual([]);
  });

  it('request, everybody is let in, and told apart', async () => {
    const { open, requests } = await start({ clientAuth: 'request', ca, maxVersion });
    for (const client of [ada, bob, undefined]) await open({ tls: by(client) });
    expect(requests.map(({ tls }) => [tls?.authorized, tls?.peerName])).toEqual([
      [true, 'ada'],
      [false, 'bob'],
      [false, undefined],
    ]);
  });

  it('none, nobody is asked', async () => {
    const { open, requests } = await start({ maxVersion });
    await open({ tls: by(ada) });
    expect(requests[0]?.tls).toMatchObject({ authorized: false, peerName: undefined, peerCertificate: undefined });
  });

  // Node.js answers "authorized" for a client without a certificate once TLS 1.3 has taken up its session again.
  it.each(['request', 'require'] as const)(
    '%s, a session does not make a client without a certificate a verified one',
    async (clientAuth) => {
      const { port, requests, events } = await start(
        { clientAuth, ca, maxVersion },
        // A client that is refused at once gets no session. This leaves time for one.
        { onVerifyPeer: () => new Promise((resolve) => setImmediate(resolve, undefined)) },
      );
      for (const client of [undefined, bob]) {
        const { session } = await visit(port, by(client));
        const again = await visit(port, by(undefined, { session }));
        expect(again.reused).toBe(true);
      }
      if (clientAuth === 'request') {
        expect(requests.map(({ tls }) => [tls?.resumed, tls?.authorized, tls?.peerName])).toEqual([
          [false, false, undefined],
          [true, false, undefined],
          [false, false, 'bob'],
          [true, false, 'bob'],
        ]);
      } else {
        expect(requests).toEqual([]);
        expect(events.lines.filter((line) => line.startsWith('rejected'))).toEqual([
          'rejected UNAUTHENTICATED',
          'rejected UNAUTHENTICATED',
          'rejected INVALID_CREDENTIALS',
          'rejected INVALID_CREDENTIALS',
        ]);
      }
    },
  );

  it('require, a session of a listener that asks for nothing, or trusts another authority, is not taken up', async () => {
    const receivers = receiverFactory();
    const at = (tls: Tls) => ({ host: '127.0.0.1', port: 0, tls: { cert, key, maxVersion, ...tls } });
    const { server } = await startReceivers({
      receiver: receivers.create,
      listen: [at({}), at({ clientAuth: 'require', ca }), at({ clientAuth: 'require', ca: stranger.cert })],
    });
    const [open, strict, strange] = server.addresses.map(({ port }) => port);
    const cheap = (await visit(open!, by())).session;
    expect(await visit(strict!, by(undefined, { session: cheap }))).toMatchObject({ reused: false, status: 403 });
    const bobs = (await visit(strange!, by(bob))).session;
    expect(await visit(strict!, by(bob, { session: bobs }))).toMatchObject({ reused: false, status: 403 });
    const adas = (await visit(strict!, by(ada))).session;
    expect(await visit(strict!, by(undefined, { session: adas }))).toMatchObject({ reused: true, status: 101 });
  });
});

interface Visit {
  readonly session: Buffer | undefined;
  readonly reused: boolean;
  readonly status: number;
}

/** Does both handshakes, and answers with the session to come back with. */
async function visit(port: number, options: ConnectionOptions): Promise<Visit> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ...options });
  onTestFinished(() => void socket.destroy());
  let session: Buffer | undefined;
  socket.on('session', (one: Buffer) => {
    session = one;
  });
  socket.on('error', () => {});
  await waitForEvent(socket, 'secureConnect');
  socket.write(requestBytes({ port }));
  const [answer] = await waitForEvent<[Buffer]>(socket, 'data');
  const reused = socket.isSessionReused();
  socket.destroy();
  return { session, reused, status: Number(answer.toString().slice(9, 12)) };
}

describe('onVerifyPeer', () => {
  it('is asked once for each connection, with the certificate, what is wrong with it, and who comes', async () => {
    const asked: unknown[] = [];
    const hook: TlsHooks['onVerifyPeer'] = (certificate, error, peer) => {
      asked.push([
        certificate?.subject,
        error?.code,
        peer.remoteAddress,
        peer.servername,
        peer.resumed,
        peer.localPort,
      ]);
    };
    const { open, port } = await start({ clientAuth: 'request', ca }, { onVerifyPeer: hook });
    for (const client of [ada, bob, undefined]) await open({ tls: by(client) });
    expect(asked).toEqual([
      ['CN=ada', undefined, '127.0.0.1', 'localhost', false, port],
      ['CN=bob', expect.stringMatching(/^[A-Z_]+$/), '127.0.0.1', 'localhost', false, port],
      [undefined, 'NO_CERTIFICATE', '127.0.0.1', 'localhost', false, port],
    ]);
  });

  it('is asked again when a session is taken up', async () => {
    const resumed: boolean[] = [];
    const { port } = await start(
      { clientAuth: 'require', ca },
      { onVerifyPeer: (_c, _e, peer) => void resumed.push(peer.resumed) },
    );
    const { session } = await visit(port, by(ada));
    expect((await visit(port, by(undefined, { session }))).status).toBe(101);
    expect(resumed).toEqual([false, true]);
  });

  it.each(['at once', 'in its own time'])(
    'may let in whose certificate does not verify, and refuse whose does, %s',
    async (when) => {
      const decide = (subject: string | undefined) => subject === 'CN=bob';
      const { open, handshake, requests, events } = await start(
        { clientAuth: 'require', ca },
        {
          onVerifyPeer: (certificate) =>
            when === 'at once' ? decide(certificate?.subject) : Promise.resolve(decide(certificate?.subject)),
        },
      );
      await open({ tls: by(bob) });
      expect(requests[0]?.tls).toMatchObject({ authorized: true, peerName: 'bob' });
      expect((await handshake({ tls: by(ada) })).status).toBe(403);
      expect(await events.rejections.next()).toMatchObject({
        error: 'POLICY_DENIED',
        message: 'onVerifyPeer refused the client',
      });
      expect(requests).toHaveLength(1);
    },
  );

  it('may decide alone, where no authority is trusted', async () => {
    const known = bob.x509.fingerprint256;
    const { open, handshake } = await start(
      { clientAuth: 'require', ca: [] },
      { onVerifyPeer: (certificate) => certificate?.fingerprint256 === known },
    );
    await open({ tls: by(bob) });
    expect((await handshake({ tls: by(ada) })).status).toBe(403);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('that %s refuses that client, and nobody else', async (_what, broken) => {
    let asked = 0;
    const { open, handshake, events } = await start(
      { clientAuth: 'require', ca },
      {
        onVerifyPeer: () => {
          asked += 1;
          return asked === 1 ? broken() : undefined;
        },
      },
    );
    expect((await handshake({ tls: by(ada) })).status).toBe(403);
    expect(String(await events.exceptions.next())).toContain('broken');
    await open({ tls: by(ada) });
  });

  it('reads nothing before the verdict, and loses nothing that was sent until then', async () => {
    const verdict = deferred<boolean>();
    const { open, requests } = await start({ clientAuth: 'require', ca }, { onVerifyPeer: () => verdict.promise });
    const opening = open({ tls: by(ada), head: Buffer.alloc(100_000) });
    await new Promise(setImmediate);
    expect(requests).toEqual([]);
    verdict.resolve(true);
    await opening.catch(() => {});
    expect(requests).toHaveLength(1);
  });

  it('that takes longer than the handshake may is not waited for', async () => {
    const { handshake, events } = await start(
      { clientAuth: 'require', ca },
      { onVerifyPeer: () => new Promise<never>(() => {}), timeouts: { handshake: '300ms' } },
    );
    await expect(handshake({ tls: by(ada) })).rejects.toThrow();
    expect(await events.rejections.next()).toMatchObject({ error: 'HANDSHAKE_TIMEOUT' });
  });

  it('outlives a client that leaves while it thinks', async () => {
    const asked = deferred();
    const verdict = deferred<boolean>();
    const { port, open } = await start(
      { clientAuth: 'require', ca },
      {
        onVerifyPeer: (certificate) => {
          if (certificate?.subject !== 'CN=late') return true;
          asked.resolve();
          return verdict.promise;
        },
      },
    );
    const socket = connect({ host: '127.0.0.1', port, ...by(late) });
    socket.on('error', () => {});
    await asked.promise;
    const closed = waitForEvent(socket, 'close');
    socket.destroy();
    await closed;
    await open({ tls: by(ada) });
    verdict.resolve(true);
    await open({ tls: by(ada) });
  });

  it('holds up no stop', async () => {
    const asked = deferred();
    const { server, port } = await start(
      { clientAuth: 'require', ca },
      {
        onVerifyPeer: () => {
          asked.resolve();
          return new Promise<never>(() => {});
        },
      },
    );
    const refused = RawClient.handshake({ port, tls: by(ada) }).catch(() => 'cut');
    await asked.promise;
    await server.stop({ drainTimeout: 0 });
    expect(await refused).toBe('cut');
  });
});
