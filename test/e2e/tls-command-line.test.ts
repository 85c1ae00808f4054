/** Owns TLS from the command line: flags for one, a file for several, and SIGHUP for new certificates. */
import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../src/server/cli/run-cli.js';
import { type IssuedCertificate, TestAuthority } from '../support/authority.js';
import { WaitingLine } from '../support/events.js';
import { folderForTest } from '../support/folder.js';

const authority = new TestAuthority();
const first = authority.issue({ names: ['localhost'] });
const second = authority.issue({ names: ['second.example'] });

type Line = Record<string, unknown>;

/** The command line as a test runs it. */
class Cli {
  readonly lines: Line[] = [];
  readonly signals = new EventEmitter();
  readonly code: Promise<number>;
  stderr = '';
  readonly #line = new WaitingLine();
  #given = 0;

  constructor(argv: readonly string[], env: Record<string, string> = {}) {
    const stdout = {
      write: (text: string) => {
        for (const line of text.trim().split('\n'))
          this.lines.push(line.startsWith('{') ? (JSON.parse(line) as Line) : { text: line });
        this.#line.notify();
      },
    };
    const stderr = {
      write: (text: string) => {
        this.stderr += text;
      },
    };
    this.code = runCli([...argv], {
      stdout,
      stderr,
      env: { TIDEGATE_LOG_FORMAT: 'json', ...env },
      signals: this.signals,
    } as never);
    onTestFinished(async () => {
      this.signals.emit('SIGTERM');
      this.signals.emit('SIGTERM');
      await this.code;
    });
  }

  /** The next line with that event. */
  line(event: string): Promise<Line> {
    return this.#line.until(
      () => {
        const index = this.lines.findIndex((line, at) => at >= this.#given && line.event === event);
        if (index >= 0) this.#given = index + 1;
        return this.lines[index];
      },
      () => undefined,
    );
  }

  async port(at = 0): Promise<number> {
    const { addresses } = await this.line('ready');
    return Number(new URL((addresses as string[])[at]!).port);
  }
}

function write(folder: string, name: string, { cert, key }: Pick<IssuedCertificate, 'cert' | 'key'>): [string, string] {
  const names: [string, string] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  writeFileSync(names[0], cert);
  writeFileSync(names[1], key);
  return names;
}

function shown(port: number, servername: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
    onTestFinished(() => void socket.destroy());
    socket.once('error', reject);
    socket.once('secureConnect', () => resolve(socket.getPeerX509Certificate()?.fingerprint256));
  });
}

const PROXY = ['proxy', '--listen', '127.0.0.1:0', '--target', 'tcp://127.0.0.1:1'];

describe('tidegate proxy', () => {
  it('speaks wss: with --tls-cert and --tls-key, on every listener; several pairs are told apart by name', async () => {
    const folder = folderForTest();
    const pairs = [write(folder, 'a', first), write(folder, 'b', second)];
    const flags = pairs.flatMap(([cert, key]) => ['--tls-cert', cert, '--tls-key', key]);
    const cli = new Cli([...PROXY, '--listen', '127.0.0.1:0', ...flags]);
    expect(await cli.line('certificates')).toMatchObject({
      result: 'loaded',
      certificates: [{ names: ['localhost'] }, {}],
    });
    const { addresses } = await cli.line('ready');
    for (const url of addresses as string[]) {
      expect(url).toMatch(/^wss:/);
      const port = Number(new URL(url).port);
      expect(await shown(port, 'localhost')).toBe(first.x509.fingerprint256);
      expect(await shown(port, 'second.example')).toBe(second.x509.fingerprint256);
    }
  });

  it('takes a passphrase from the environment, and never shows it', async () => {
    const key = first.keyObject
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' })
      .toString();
    const [certFile, keyFile] = write(folderForTest(), 'a', { cert: first.cert, key });
    const argv = [...PROXY, '--tls-cert', certFile, '--tls-key', keyFile];
    const right = new Cli(argv, { TIDEGATE_TLS_PASSPHRASE: 'hunter2' });
    expect(await shown(await right.port(), 'localhost')).toBe(first.x509.fingerprint256);
    expect(JSON.stringify(right.lines)).not.toContain('hunter2');
    const wrong = new Cli(argv, { TIDEGATE_TLS_PASSPHRASE: 'hunter3' });
    expect(await wrong.code).toBe(2);
    expect(wrong.stderr).toContain(`--tls-key: got "${keyFile}"; is encrypted, and the passphrase does not open it`);
    expect(wrong.stderr).not.toContain('hunter3');
  });

  it.each([
    [['--tls-cert', '/nowhere'], '--tls-key: got nothing; expected a `key` for each `cert`'],
    [['--tls-min-version', 'TLSv1.3'], 'expected `cert` and `key`, or `pfx`, or `certificates`'],
    [['--tls-cert', '/nowhere', '--tls-key', '/nowhere'], '--tls-cert: got "/nowhere"; expected PEM text'],
    [['--tls-client-auth', 'maybe'], "--tls-client-auth: got \"maybe\"; expected 'none' or 'request' or 'require'"],
  ])('answers 2 for %j', async (flags, message) => {
    const cli = new Cli([...PROXY, ...flags]);
    expect(await cli.code).toBe(2);
    expect(cli.stderr).toContain(message);
  });

  it('reads certificates again on SIGHUP, and keeps the old ones when the new cannot be used', async () => {
    const folder = folderForTest();
    const [cert, key] = write(folder, 'a', first);
    const cli = new Cli([...PROXY, '--tls-cert', cert, '--tls-key', key, '--tls-watch', 'false']);
    const port = await cli.port();
    cli.signals.emit('SIGHUP');
    expect(await cli.line('reload')).toMatchObject({ result: 'unchanged certificates' });
    write(folder, 'a', { cert: 'half a certif', key: first.key });
    cli.signals.emit('SIGHUP');
    expect(await cli.line('certificates')).toMatchObject({
      level: 'error',
      result: 'kept',
      message: expect.stringMatching(/not reloaded, the old ones stay: tls\.cert: .*a\.pem: holds no PEM certificate/),
    });
    expect(await shown(port, 'localhost')).toBe(first.x509.fingerprint256);
    write(folder, 'a', second);
    cli.signals.emit('SIGHUP');
    expect(await cli.line('certificates')).toMatchObject({ level: 'info', result: 'reloaded' });
    expect(await shown(port, 'localhost')).toBe(second.x509.fingerprint256);
  });
});

describe('tidegate run', () => {
  it('has plain and TLS listeners side by side, with files relative to its own, and reads certificates again on SIGHUP', async () => {
    const folder = folderForTest();
    write(folder, 'a', first);
    const file = join(folder, 'tidegate.yaml');
    writeFileSync(
      file,
      `proxies:
  - target: tcp://127.0.0.1:1
    tls: { cert: a.pem, key: a.key, watch: false }
    listen:
      - 127.0.0.1:0
      - { host: 127.0.0.1, port: 0, tls: false }
`,
    );
    const cli = new Cli(['run', '--config', file]);
    const { addresses } = await cli.line('ready');
    expect((addresses as string[]).map((url) => url.split(':')[0])).toEqual(['wss', 'ws']);
    write(folder, 'a', second);
    cli.signals.emit('SIGHUP');
    expect(await cli.line('certificates')).toMatchObject({ result: 'reloaded', listener: '127.0.0.1:0' });
    // The names of the files are the same: nothing needs a restart.
    expect(await cli.line('reload')).toMatchObject({ result: 'unchanged' });
    expect(await shown(Number(new URL((addresses as string[])[0]!).port), 'x')).toBe(second.x509.fingerprint256);
  });

  it('names the line of what is wrong', async () => {
    const folder = folderForTest();
    write(folder, 'a', { cert: first.cert, key: second.key });
    const file = join(folder, 'tidegate.yaml');
    writeFileSync(
      file,
      'proxies:\n  - target: tcp://127.0.0.1:1\n    listen:\n      - port: 0\n        tls:\n          cert: a.pem\n          key: a.key\n',
    );
    const cli = new Cli(['run', '--config', file]);
    expect(await cli.code).toBe(2);
    expect(cli.stderr).toContain(`${file}:7:16: proxies[0].listen[0].tls.key: got "a.key"; does not belong`);
  });
});

describe('tidegate check', () => {
  it('warns of a certificate that has expired, which is no reason to refuse the file', async () => {
    const folder = folderForTest();
    const day = 86_400_000;
    const old = authority.issue({
      names: ['localhost'],
      from: new Date(Date.now() - 9 * day),
      to: new Date(Date.now() - day),
    });
    const [cert] = write(folder, 'a', old);
    const file = join(folder, 'tidegate.yaml');
    writeFileSync(file, 'proxies: [{ target: "tcp://a:1", listen: [1, 2], tls: { cert: a.pem, key: a.key } }]\n');
    const cli = new Cli(['check', '--config', file]);
    expect(await cli.code).toBe(0);
    expect(cli.lines.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^warning: the certificate for localhost in .*a\.pem expired on /),
      `${file}: valid, 1 proxy`,
    ]);
    expect(String(cli.lines[0]?.text)).toContain(cert);
  });
});
