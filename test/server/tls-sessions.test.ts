/** Owns that clients come back with a session: from any listener, over a reload and a restart, and no longer than they may. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProxyServer, type ProxyServerOptions } from '../../src/index.js';
import { TestAuthority } from '../support/authority.js';
import { folderForTest } from '../support/folder.js';
import { requestBytes } from '../support/raw-client.js';
import { stopAfterTest } from './stage.js';

const authority = new TestAuthority();
const { cert, key } = authority.issue({ names: ['localhost', 'a.example'] });
const other = authority.issue({ names: ['b.example'] });

type Tls = NonNullable<ProxyServerOptions['tls']>;

async function serve(tls: Tls, listeners = 1): Promise<ProxyServer> {
  const listen = Array.from({ length: listeners }, () => '127.0.0.1:0');
  const server = new ProxyServer({ listen, target: 'tcp://127.0.0.1:1', tls: { cert, key, ...tls } });
  stopAfterTest(server);
  await server.start();
  return server;
}

interface Visit {
  readonly reused: boolean;
  readonly session: Buffer | undefined;
}

/** Comes with a session or without, waits for the answer to a request, and says whether the session was taken up. */
function visit(
  server: ProxyServer,
  session?: Buffer,
  { at = 0, ...more }: ConnectionOptions & { at?: number } = {},
): Promise<Visit> {
  const { port } = server.addresses[at]!;
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ca: authority.cert, servername: 'localhost', ...more };
    const socket = connect(session === undefined ? options : { ...options, session });
    onTestFinished(() => void socket.destroy());
    let latest: Buffer | undefined;
    socket.on('session', (one: Buffer) => {
      latest = one;
    });
    socket.on('error', reject);
    socket.once('secureConnect', () => socket.write(requestBytes({ port })));
    socket.once('data', () => resolve({ reused: socket.isSessionReused(), session: latest }));
  });
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a session over %s', (maxVersion) => {
  it('is taken up by the listener that gave it, and by every other of the server', async () => {
    const server = await serve({ maxVersion }, 2);
    const first = await visit(server);
    expect(first.reused).toBe(false);
    const second = await visit(server, first.session);
    expect(second.reused).toBe(true);
    expect((await visit(server, second.session ?? first.session, { at: 1 })).reused).toBe(true);
  });

  it('is taken up for the name it was had with, among several certificates', async () => {
    const server = await serve({ maxVersion, certificates: [{ cert: other.cert, key: other.key }] });
    const { session } = await visit(server, undefined, { servername: 'b.example' });
    expect((await visit(server, session, { servername: 'b.example' })).reused).toBe(true);
  });

  it('outlives a reload of the certificate and a restart', async () => {
    const folder = folderForTest();
    const write = (one: { cert: string; key: string }) => {
      writeFileSync(join(folder, 'a.pem'), one.cert);
      writeFileSync(join(folder, 'a.key'), one.key);
    };
    write({ cert, key });
    const server = await serve({ cert: join(folder, 'a.pem'), key: join(folder, 'a.key'), maxVersion, watch: false });
    const { session } = await visit(server);
    write(authority.issue({ names: ['localhost'] }));
    expect(server.reloadCertificates()).toMatchObject([{ result: 'reloaded' }]);
    expect((await visit(server, session)).reused).toBe(true);
    await server.restart({ drainTimeout: 0 });
    expect((await visit(server, session)).reused).toBe(true);
  });

  it('is not taken up by another server, unless both were given the same ticket keys', async () => {
    const file = join(folderForTest(), 'ticket.key');
    writeFileSync(file, randomBytes(48));
    const { session } = await visit(await serve({ maxVersion }));
    expect((await visit(await serve({ maxVersion }), session)).reused).toBe(false);
    const shared = await visit(await serve({ maxVersion, ticketKeyFile: file }));
    expect((await visit(await serve({ maxVersion, ticketKeyFile: file }), shared.session)).reused).toBe(true);
  });

  it('is none with other ticket keys, once the file was read again', async () => {
    const file = join(folderForTest(), 'ticket.key');
    writeFileSync(file, randomBytes(48));
    const server = await serve({ maxVersion, ticketKeyFile: file, watch: false });
    const { session } = await visit(server);
    writeFileSync(file, randomBytes(48));
    expect(server.reloadCertificates()).toMatchObject([{ result: 'reloaded' }]);
    const again = await visit(server, session);
    expect(again.reused).toBe(false);
    expect((await visit(server, again.session)).reused).toBe(true);
  });

  it('is not to be had where it is turned off', async () => {
    const server = await serve({ maxVersion, sessionTickets: false });
    const { session } = await visit(server);
    expect((await visit(server, session)).reused).toBe(false);
  });

  it('is over when its time is', async () => {
    const server = await serve({ maxVersion, sessionTimeout: 1000 });
    const { session } = await visit(server);
    // OpenSSL counts whole seconds, on a clock that no test can move.
    const begin = Math.floor(Date.now() / 1000);
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (Math.floor(Date.now() / 1000) - begin < 3) return;
        clearInterval(timer);
        resolve();
      }, 20);
    });
    expect((await visit(server, session)).reused).toBe(false);
  });
});
