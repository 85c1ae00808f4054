/** Owns that clients nobody here wrote come in over TLS: ws, curl and the command line of OpenSSL. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import WebSocket from 'ws';
import type { ProxyServerOptions, TlsHooks } from '../../src/index.js';
import { type IssuedCertificate, TestAuthority } from '../support/authority.js';
import { WaitingLine, waitForEvent } from '../support/events.js';
import { folderForTest } from '../support/folder.js';
import { type FoundProgram, findCurl, findOpenssl, type Missing } from '../support/services.js';
import { TcpPeer } from '../support/tcp-peer.js';
import { startProxy } from './stage.js';

const authority = new TestAuthority();
const localhost = authority.issue({ names: ['localhost'] });
const wild = authority.issue({ names: ['*.example.org'] });
const ada = authority.issue({ name: 'ada' });

type Tls = NonNullable<ProxyServerOptions['tls']>;

/** Files for programs. */
function files(): { readonly ca: string; readonly folder: string; pair(one: IssuedCertificate): [string, string] } {
  const folder = folderForTest();
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, authority.cert);
  const pair = ({ cert, key }: IssuedCertificate): [string, string] => {
    writeFileSync(join(folder, 'client.pem'), cert);
    writeFileSync(join(folder, 'client.key'), key);
    return [join(folder, 'client.pem'), join(folder, 'client.key')];
  };
  return { ca, folder, pair };
}

async function serve(tls: Tls = {}, hooks: TlsHooks = {}) {
  const target = await TcpPeer.echo();
  onTestFinished(() => target.close());
  const { server } = await startProxy({
    target: target.url,
    tls: { cert: localhost.cert, key: localhost.key, ...tls },
    ...hooks,
  });
  return { port: server.addresses[0]!.port };
}

/** A program that runs, and everything it said. */
class Running {
  readonly child: ChildProcessWithoutNullStreams;
  text = '';
  readonly #said = new WaitingLine();
  #isOver = false;

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args);
    onTestFinished(() => void this.child.kill('SIGKILL'));
    this.child.stdin.on('error', () => {});
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.text += chunk.toString('latin1');
        this.#said.notify();
      });
    }
    this.child.once('close', () => {
      this.#isOver = true;
      this.#said.notify();
    });
  }

  /** Waits until it has said something that matches. */
  says(what: RegExp): Promise<RegExpExecArray> {
    const failure = () => (this.#isOver ? new Error(`ended without ${what}: ${this.text}`) : undefined);
    return this.#said.until(() => what.exec(this.text) ?? undefined, failure);
  }

  /** Everything it said, once it has ended. */
  ended(): Promise<string> {
    return this.#said.until(
      () => (this.#isOver ? this.text : undefined),
      () => undefined,
    );
  }
}

function need(context: TestContext, program: FoundProgram | Missing): string {
  return program.missing === undefined ? program.path : context.skip(program.missing);
}

const UPGRADE = [
  ...['-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket', '-H', 'Sec-WebSocket-Version: 13'],
  ...['-H', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
];

describe('ws', () => {
  it('talks to a target with a client certificate, and is refused without one', async () => {
    const { port } = await serve({ clientAuth: 'require', ca: authority.cert });
    const options = { ca: authority.cert, servername: 'localhost' };
    const socket = new WebSocket(`wss://localhost:${port}/`, { ...options, cert: ada.cert, key: ada.key });
    onTestFinished(() => socket.terminate());
    await waitForEvent(socket, 'open');
    socket.send('hello');
    expect(String((await waitForEvent<[Buffer]>(socket, 'message'))[0])).toBe('hello');
    socket.close(1000);
    expect((await waitForEvent<[number]>(socket, 'close'))[0]).toBe(1000);
    const nobody = new WebSocket(`wss://localhost:${port}/`, options);
    expect(String((await waitForEvent<[Error]>(nobody, 'error').catch((error) => [error]))[0])).toContain('403');
  });
});

describe('curl', () => {
  const curl = (context: TestContext, ...args: string[]): Running =>
    new Running(need(context, findCurl()), ['--http1.1', '-sS', '-i', '-N', '--max-time', '10', ...args]);

  it('upgrades over TLS, with a certificate that it verifies', async (context) => {
    const { port } = await serve();
    const run = curl(context, '--cacert', files().ca, ...UPGRADE, `https://localhost:${port}/`);
    await run.says(/HTTP\/1\.1 101 Switching Protocols[\s\S]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
  });

  it('gets the certificate of the name it asks for', async (context) => {
    const { port } = await serve({ certificates: [{ cert: wild.cert, key: wild.key }] });
    const name = `a.example.org:${port}`;
    const text = await curl(
      context,
      '-v',
      '--cacert',
      files().ca,
      '--resolve',
      `${name}:127.0.0.1`,
      `https://${name}/`,
    ).ended();
    expect(text).toContain('subject: CN=*.example.org');
    expect(text).toContain('HTTP/1.1 426');
  });

  it('agrees on HTTP/1.1 when it could speak HTTP/2', async (context) => {
    const { port } = await serve();
    const text = await curl(context, '--http2', '-v', '--cacert', files().ca, `https://localhost:${port}/`).ended();
    expect(text).toMatch(/ALPN: (?:curl )?offers h2,http\/1\.1/);
    expect(text).toMatch(/ALPN: server accepted http\/1\.1/);
    expect(text).toContain('HTTP/1.1 426');
  });

  it('is let in with a client certificate, and reads why not without one', async (context) => {
    const { port } = await serve({ clientAuth: 'require', ca: authority.cert });
    const { ca, pair } = files();
    const [cert, key] = pair(ada);
    const url = `https://localhost:${port}/`;
    expect(await curl(context, '--cacert', ca, '--cert', cert, '--key', key, url).ended()).toContain('HTTP/1.1 426');
    expect(await curl(context, '--cacert', ca, url).ended()).toMatch(/^HTTP\/1\.1 403 Forbidden/);
  });

  it('reads that a port speaks TLS when it does not', async (context) => {
    const { port } = await serve();
    expect(await curl(context, `http://localhost:${port}/`).ended()).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*This port speaks TLS/,
    );
  });
});

describe('openssl s_client', () => {
  const client = (context: TestContext, port: number, ...args: string[]): Running =>
    new Running(need(context, findOpenssl()), [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-CAfile',
      files().ca,
      ...args,
    ]);

  describe.each([
    ['-tls1_2', 'TLSv1.2'],
    ['-tls1_3', 'TLSv1.3'],
  ])('%s', (flag, version) => {
    it('verifies the server, and agrees on version and ALPN', async (context) => {
      const { port } = await serve();
      const run = client(
        context,
        port,
        flag,
        '-servername',
        'localhost',
        '-alpn',
        'h2,http/1.1',
        '-verify_return_error',
      );
      await run.says(/Verify return code: 0 \(ok\)/);
      expect(run.text).toContain(`New, ${version}`);
      expect(run.text).toContain('ALPN protocol: http/1.1');
    });

    it('is shown the certificate of the name, and an alert for an unknown one', async (context) => {
      const { port } = await serve({ certificates: [{ cert: wild.cert, key: wild.key }], unknownName: 'refuse' });
      const known = client(context, port, flag, '-servername', 'b.example.org');
      await known.says(/subject=CN ?= ?\*\.example\.org/);
      const unknown = client(context, port, flag, '-servername', 'unknown.example');
      expect(await unknown.ended()).toMatch(/alert handshake failure/);
    });

    it('takes up its session', async (context) => {
      const { port } = await serve();
      const session = join(files().folder, 'session.pem');
      const first = client(context, port, flag, '-servername', 'localhost', '-sess_out', session);
      first.child.stdin.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      // The tickets of TLS 1.3 come behind the handshake, before anything else.
      await first.says(/HTTP\/1\.1 426/);
      await first.ended();
      expect(first.text).toMatch(/New, TLS/);
      const second = client(context, port, flag, '-servername', 'localhost', '-sess_in', session);
      await second.says(/(?:Reused|New), TLS\S+, Cipher/);
      expect(second.text).toMatch(/Reused, TLS/);
    });

    it('is told the end with a close_notify', async (context) => {
      const { port } = await serve();
      const run = client(context, port, flag, '-servername', 'localhost', '-msg');
      run.child.stdin.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await run.says(/<<< TLS 1\.[23], Alert \[length 0002\], warning close_notify/);
      expect(await run.ended()).not.toMatch(/unexpected eof/i);
    });

    it('shows a client certificate', async (context) => {
      const { port } = await serve({ clientAuth: 'require', ca: authority.cert });
      const [cert, key] = files().pair(ada);
      const run = client(context, port, flag, '-servername', 'localhost', '-cert', cert, '-key', key);
      run.child.stdin.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await run.says(/HTTP\/1\.1 426/);
      expect(run.text).toMatch(/Acceptable client certificate CA names\s+CN ?= ?Test CA/);
      const nobody = client(context, port, flag, '-servername', 'localhost');
      nobody.child.stdin.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await nobody.says(/HTTP\/1\.1 403/);
    });
  });

  it('comes back five times with its session (-reconnect)', async (context) => {
    const { port } = await serve();
    const run = client(context, port, '-tls1_2', '-servername', 'localhost', '-reconnect');
    await run.says(/(?:Reused, TLS[\s\S]*){5}/);
    expect(run.text.match(/^New, TLS/gm)).toHaveLength(1);
  });
});
