/** Owns that certificates are read again when their files change or somebody asks, and what is told of it. */
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CertificateReport, ProxyServer, type ProxyServerOptions } from '../../src/index.js';
import { type IssuedCertificate, TestAuthority } from '../support/authority.js';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { folderForTest } from '../support/folder.js';
import { Given, stopAfterTest } from './stage.js';

const authority = new TestAuthority();
const issue = (name = 'localhost') => authority.issue({ names: [name] });

type Tls = NonNullable<ProxyServerOptions['tls']>;

/** A folder with a certificate and its key in it. */
class Keys {
  readonly folder = folderForTest();
  readonly cert = join(this.folder, 'tls.crt');
  readonly key = join(this.folder, 'tls.key');

  constructor(first: IssuedCertificate) {
    this.write(first);
  }

  /** Puts other files in their place, as a careful program does. */
  write({ cert, key }: { readonly cert: string; readonly key: string }): void {
    for (const [file, content] of [
      [this.cert, cert],
      [this.key, key],
    ] as const) {
      writeFileSync(`${file}.new`, content);
      renameSync(`${file}.new`, file);
    }
  }
}

async function serve(tls: Tls, more: ProxyServerOptions = {}) {
  const server = new ProxyServer({ listen: '127.0.0.1:0', target: 'tcp://127.0.0.1:1', tls, ...more });
  stopAfterTest(server);
  const reports = new Given<CertificateReport>();
  server.on('certificates', (report) => reports.add(report));
  await server.start();
  expect((await reports.next()).result).toBe('loaded');
  return { server, reports };
}

/** The fingerprint of the certificate that a client is shown. */
function shown(server: ProxyServer, servername = 'localhost', at = 0): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const { port } = server.addresses[at]!;
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
    onTestFinished(() => void socket.destroy());
    socket.once('error', reject);
    socket.once('secureConnect', () => resolve(socket.getPeerX509Certificate()?.fingerprint256));
  });
}

describe('a certificate whose files change', () => {
  it('is used from then on', async () => {
    const [before, after] = [issue(), issue()];
    const keys = new Keys(before);
    const { server, reports } = await serve({ cert: keys.cert, key: keys.key });
    expect(await shown(server)).toBe(before.x509.fingerprint256);
    keys.write(after);
    expect(await reports.next()).toMatchObject({
      listener: '127.0.0.1:0',
      result: 'reloaded',
      certificates: [{ names: ['localhost'], fingerprint256: after.x509.fingerprint256 }],
      warnings: [],
    });
    expect(await shown(server)).toBe(after.x509.fingerprint256);
    expect(await shown(server, '')).toBe(after.x509.fingerprint256);
  });

  it('is used also when it is one of several, and its names have changed', async () => {
    const first = issue('first.example');
    const keys = new Keys(issue('old.example'));
    const { server, reports } = await serve({
      cert: first.cert,
      key: first.key,
      certificates: [{ cert: keys.cert, key: keys.key }],
    });
    const after = issue('new.example');
    keys.write(after);
    expect((await reports.next()).certificates.map(({ names }) => names[0])).toEqual(['first.example', 'new.example']);
    expect(await shown(server, 'new.example')).toBe(after.x509.fingerprint256);
    expect(await shown(server, 'old.example')).toBe(first.x509.fingerprint256);
  });

  it('is kept when what is there now cannot be used, with the reason, until something can', async () => {
    const [before, after] = [issue(), issue()];
    const keys = new Keys(before);
    const { server, reports } = await serve({ cert: keys.cert, key: keys.key });
    const told: unknown[] = [];
    for (const wrong of [
      { cert: 'half a certif', key: before.key },
      { cert: after.cert, key: before.key },
    ]) {
      keys.write(wrong);
      const report = await reports.next();
      expect(report).toMatchObject({ result: 'kept', certificates: [{ fingerprint256: before.x509.fingerprint256 }] });
      told.push(report.reason);
      expect(await shown(server)).toBe(before.x509.fingerprint256);
    }
    unlinkSync(keys.key);
    told.push((await reports.next()).reason);
    expect(told).toEqual([
      expect.stringContaining(`tls.cert: ${keys.cert}: holds no PEM certificate`),
      expect.stringContaining(`tls.key: ${keys.key}: does not belong to the certificate in ${keys.cert}`),
      expect.stringMatching(/tls\.key: .*tls\.key: expected PEM text or the name of a readable file \(ENOENT/),
    ]);
    keys.write(before);
    expect(await reports.next()).toMatchObject({ result: 'unchanged' });
    keys.write(after);
    expect(await reports.next()).toMatchObject({ result: 'reloaded' });
    expect(await shown(server)).toBe(after.x509.fingerprint256);
  });

  it('is noticed where Kubernetes mounts it', async () => {
    const folder = folderForTest();
    const [before, after] = [issue(), issue()];
    for (const [name, one] of [
      ['..1', before],
      ['..2', after],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'tls.crt'), one.cert);
      writeFileSync(join(folder, name, 'tls.key'), one.key);
    }
    symlinkSync('..1', join(folder, '..data'));
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(folder, name));
    const { server, reports } = await serve({ cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') });
    symlinkSync('..2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    expect(await reports.next()).toMatchObject({ result: 'reloaded' });
    expect(await shown(server)).toBe(after.x509.fingerprint256);
  });

  it('is warned of when the new one has expired, and used all the same', async () => {
    const keys = new Keys(issue());
    const { server, reports } = await serve({ cert: keys.cert, key: keys.key });
    const old = authority.issue({
      names: ['localhost'],
      from: new Date(Date.now() - 2e9),
      to: new Date(Date.now() - 1e9),
    });
    keys.write(old);
    expect(await reports.next()).toMatchObject({
      result: 'reloaded',
      warnings: [expect.stringContaining(`in ${keys.cert} expired on`)],
    });
    expect(await shown(server)).toBe(old.x509.fingerprint256);
  });
});

describe('reloadCertificates()', () => {
  it('reads what is not watched, for each listener, and says what came of it', async () => {
    const [before, after] = [issue(), issue()];
    const [keys, others] = [new Keys(before), new Keys(before)];
    const at = ({ cert, key }: Keys) => ({ host: '127.0.0.1', port: 0, tls: { cert, key, watch: false } });
    const server = new ProxyServer({ listen: [at(keys), '127.0.0.1:0', at(others)], target: 'tcp://127.0.0.1:1' });
    stopAfterTest(server);
    expect(server.reloadCertificates()).toEqual([]);
    await server.start();
    const told: string[] = [];
    server.on('certificates', ({ result }) => told.push(result));
    keys.write(after);
    writeFileSync(others.cert, 'nothing');
    expect(server.reloadCertificates().map(({ result, reason }) => [result, reason !== undefined])).toEqual([
      ['reloaded', false],
      ['kept', true],
    ]);
    expect(server.reloadCertificates().map(({ result }) => result)).toEqual(['unchanged', 'kept']);
    expect(told).toEqual(['reloaded', 'kept', 'kept']);
    expect(await shown(server)).toBe(after.x509.fingerprint256);
    expect(await shown(server, 'localhost', 2)).toBe(before.x509.fingerprint256);
  });

  it('asks the hooks again, and keeps what there was when one throws', async () => {
    const [before, after] = [issue(), issue()];
    const keys = new Keys(before);
    let broken = false;
    const { server } = await serve(
      { cert: keys.cert, key: keys.key, watch: false },
      {
        onSecureContextOptions: () => {
          if (broken) throw new Error('no key in the vault');
          return undefined;
        },
      },
    );
    broken = true;
    keys.write(after);
    expect(server.reloadCertificates()).toMatchObject([{ result: 'kept', reason: expect.stringContaining('vault') }]);
    expect(await shown(server)).toBe(before.x509.fingerprint256);
    broken = false;
    expect(server.reloadCertificates()).toMatchObject([{ result: 'reloaded' }]);
  });
});

describe('a stopped server', () => {
  it('watches nothing any more (P7)', async () => {
    const keys = new Keys(issue());
    const before = await holdings();
    const { server, reports } = await serve({ cert: keys.cert, key: keys.key });
    await shown(server);
    await server.stop({ drainTimeout: 0 });
    await expectQuiet(before);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap')).toEqual([]);
    keys.write(issue());
    expect(server.reloadCertificates()).toEqual([]);
    expect(reports.all).toHaveLength(1);
  });

  it('has the new certificate when it starts again', async () => {
    const [before, after] = [issue(), issue()];
    const keys = new Keys(before);
    const { server } = await serve({ cert: keys.cert, key: keys.key, watch: false });
    await server.stop({ drainTimeout: 0 });
    keys.write(after);
    await server.start();
    expect(await shown(server)).toBe(after.x509.fingerprint256);
  });

  it('does not start with one that cannot be used, and says why', async () => {
    const keys = new Keys(issue());
    const { server } = await serve({ cert: keys.cert, key: keys.key });
    await server.stop({ drainTimeout: 0 });
    unlinkSync(keys.cert);
    await expect(server.start()).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringContaining(keys.cert),
    });
  });
});
