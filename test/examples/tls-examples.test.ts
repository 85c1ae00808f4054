/** Owns that the examples of TLS do what they say, with certificates made by the test. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { start as startDoors } from '../../examples/08-client-certificates.js';
import { type Files, start as startNames } from '../../examples/09-several-names.js';
import { type IssuedCertificate, TestAuthority } from '../support/authority.js';
import { folderForTest } from '../support/folder.js';
import { openClient, startUpstream } from '../support/for-one-test.js';
import { RawClient } from '../support/raw-client.js';

const authority = new TestAuthority();
const localhost = authority.issue({ names: ['localhost'] });
const [ada, admin, bob] = ['ada', 'admin', 'bob'].map((name) => authority.issue({ name })) as [
  IssuedCertificate,
  IssuedCertificate,
  IssuedCertificate,
];

function save(folder: string, name: string, { cert, key }: IssuedCertificate): Files {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}

const as = ({ cert, key }: IssuedCertificate) => ({ ca: authority.cert, servername: 'localhost', cert, key });

describe('08-client-certificates', () => {
  it('lets in who has a certificate, by its name, and keeps out who has none or may not', async () => {
    const target = await startUpstream();
    const doors = {
      cert: localhost.cert,
      key: localhost.key,
      ca: authority.cert,
      revoked: new Set([bob.x509.fingerprint256]),
    };
    const proxy = await startDoors(0, target.url, doors);
    onTestFinished(() => proxy.stop({ drainTimeout: 0 }));
    const { port } = proxy.addresses[0]!;

    const client = await openClient({ port, tls: as(ada) });
    expect(client.answer.headers['x-known-as']).toBe('ada');
    const upstream = await target.nextConnection();
    client.sendText('hello');
    expect(await upstream.nextText()).toBe('hello');

    const status = async (path: string, tls: object) => (await RawClient.handshake({ port, path, tls })).status;
    expect(await status('/', { ca: authority.cert, servername: 'localhost' })).toBe(403);
    expect(await status('/', as(bob))).toBe(403);
    expect(await status('/admin', as(ada))).toBe(403);
    expect(await status('/admin', as(admin))).toBe(101);
  });
});

describe('09-several-names', () => {
  it('shows each name its certificate, and a renewed one without touching who is there', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    onTestFinished(() => log.mockRestore());
    const folder = folderForTest();
    const first = save(folder, 'first', localhost);
    const second = save(folder, 'second', authority.issue({ names: ['*.example.org'] }));
    const server = await startNames(0, [first, second]);
    onTestFinished(() => server.stop({ drainTimeout: 0 }));
    const { port } = server.addresses[0]!;
    const to = (servername: string) => ({ port, tls: { ca: authority.cert, servername } });

    const before = await openClient(to('a.example.org'));
    expect(await before.nextText()).toBe('this is a.example.org');

    const reloaded = new Promise((resolve) => server.once('certificates', resolve));
    save(folder, 'second', authority.issue({ names: ['*.example.net'] }));
    expect(await reloaded).toMatchObject({ result: 'reloaded' });
    expect(log).toHaveBeenCalledWith('reloaded: localhost, *.example.net');
    expect(await (await openClient(to('b.example.net'))).nextText()).toBe('this is b.example.net');
    await expect(RawClient.handshake(to('c.example.org'))).rejects.toThrow(/altnames/i);
    before.sendPing('still here?');
    expect(String((await before.nextFrame(10)).payload)).toBe('still here?');
  });
});
