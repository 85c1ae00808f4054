/** Owns what is said of certificate and key material that cannot be used, and what is told of one that can. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import type { TlsInput } from '../../../src/server/config/listener-tls.js';
import { resolveProxyOptions } from '../../../src/server/config/options.js';
import { readContexts, warningsAbout } from '../../../src/server/tls/context-set.js';
import { TestAuthority } from '../../support/authority.js';
import { folderForTest } from '../../support/folder.js';
import { findOpenssl } from '../../support/services.js';

const authority = new TestAuthority();
const app = authority.issue({ names: ['app.example', '*.app.example'] });
const other = authority.issue({ names: ['other.example'] });
const encrypted = app.keyObject
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
  .toString();

const resolve = (tls: TlsInput) => resolveProxyOptions({ tls }).tls!;
const read = (tls: TlsInput) => readContexts(resolve(tls), {}, undefined);

function problemOf(tls: unknown): string {
  try {
    resolve(tls as TlsInput);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the options were taken');
}

function files(contents: Readonly<Record<string, string | Uint8Array>>): (name: string) => string {
  const folder = folderForTest();
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content);
  return (name) => join(folder, name);
}

describe('what cannot be used is refused with the file that it is in', () => {
  it('a file that is not there', () => {
    expect(problemOf({ cert: '/nowhere/a.pem', key: app.key })).toMatch(
      /^tls\.cert: got "\/nowhere\/a\.pem"; expected PEM text or the name of a readable file \(ENOENT/,
    );
  });

  it('a key of another certificate', () => {
    const at = files({ 'a.pem': app.cert, 'b.key': other.key });
    expect(problemOf({ cert: at('a.pem'), key: at('b.key') })).toBe(
      `tls.key: got "${at('b.key')}"; does not belong to the certificate in ${at('a.pem')}; expected the key that this certificate was made for`,
    );
  });

  it('a chain that is in the wrong order', () => {
    const at = files({ 'a.pem': authority.cert + app.cert, 'a.key': app.key });
    expect(problemOf({ cert: at('a.pem'), key: at('a.key') })).toContain('not the first: put it first');
  });

  it('a passphrase that is missing or wrong', () => {
    const at = files({ 'a.key': encrypted, 'wrong.txt': 'close sesame\n', 'right.txt': 'open sesame\n' });
    const cert = app.cert;
    const key = at('a.key');
    expect(problemOf({ cert, key })).toBe(`tls.key: got "${key}"; is encrypted; expected its \`passphrase\``);
    expect(problemOf({ cert, key, passphrase: 'hunter2' })).toMatch(/the passphrase does not open it/);
    expect(problemOf({ cert, key, passphrase: 'hunter2' })).not.toContain('hunter2');
    expect(problemOf({ cert, key, passphraseFile: at('wrong.txt') })).toMatch(/the passphrase does not open it/);
    expect(read({ cert, key, passphraseFile: at('right.txt') }).certificates).toHaveLength(1);
    expect(read({ cert, key, passphrase: 'open sesame' }).certificates).toHaveLength(1);
  });

  it.each([
    ['a PEM that is none', { 'a.pem': 'not a certificate', 'a.key': app.key }, /a\.pem"; holds no PEM certificate/],
    ['DER', { 'a.pem': app.x509.raw, 'a.key': app.key }, /a\.pem"; holds no PEM certificate.*openssl x509 -inform der/],
    ['a key in place of the certificate', { 'a.pem': app.key, 'a.key': app.key }, /a\.pem"; holds no PEM certificate/],
    [
      'a certificate in place of the key',
      { 'a.pem': app.cert, 'a.key': app.cert },
      /a\.key"; holds no PEM private key/,
    ],
    [
      'a damaged certificate',
      { 'a.pem': app.cert.replace(/\n[^\n]{10}/, '\n!!'), 'a.key': app.key },
      /certificate 1 in it is damaged/,
    ],
    [
      'a damaged key',
      { 'a.pem': app.cert, 'a.key': app.key.replace(/\n[^\n]{10}/, '\n!!') },
      /the private key in it is damaged/,
    ],
  ])('%s', (_what, contents, message) => {
    const at = files(contents as unknown as Record<string, string>);
    expect(problemOf({ cert: at('a.pem'), key: at('a.key') })).toMatch(message);
  });

  it.each(
    (
      [
        [{}, 'expected `cert` and `key`, or `pfx`, or `certificates`'],
        [
          { cert: [app.cert, other.cert], key: app.key },
          'tls.key: got a value of type string; expected a `key` for each `cert`',
        ],
        [{ key: app.key }, 'tls.cert: got nothing; expected a `cert` for each `key`'],
        [
          { certificates: [{ cert: app.cert }] },
          'tls.certificates[0].key: got nothing; expected a `key` for each `cert`',
        ],
        [
          { certificates: [{ cert: '/nowhere', key: '/nowhere' }] },
          'tls.certificates[0].cert: got "/nowhere"; expected PEM',
        ],
        [
          { certificates: [{ ...pem(app), names: ['a b'] }] },
          'tls.certificates[0].names[0]: got "a b"; expected a host name',
        ],
        [{ ...pem(app), minVersion: 'TLSv2' }, 'tls.minVersion: got "TLSv2"; expected \'TLSv1\''],
        [
          { ...pem(app), minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' },
          'tls.maxVersion: got "TLSv1.2"; expected at least',
        ],
        [{ ...pem(app), ciphers: 'nonsense' }, 'tls.ciphers: got "nonsense"; expected what OpenSSL can use'],
        [{ ...pem(app), ecdhCurve: 'nonsense' }, 'tls.ecdhCurve: got "nonsense"; expected what OpenSSL can use'],
        [{ ...pem(app), clientAuth: 'require' }, 'tls.ca: got nothing; expected the authorities'],
        [{ ...pem(app), clientAuth: 'request' }, 'tls.ca: got nothing; expected the authorities'],
        [{ ...pem(app), ca: '/nowhere' }, 'tls.ca: got "/nowhere"; expected PEM text'],
        [{ ...pem(app), ca: app.key }, 'tls.ca: got a value of type string; holds no PEM certificate'],
        [{ ...pem(app), node: { requestCert: true } }, 'tls.node.requestCert: got true; expected `clientAuth`'],
        [{ ...pem(app), node: { ciphers: 'x' } }, 'tls.node.ciphers: got "x"; expected `ciphers`'],
        [{ ...pem(app), crt: 1 }, 'unknown option tls.crt: did you mean tls.cert?'],
        [{ ...pem(app), pfx: app.key }, 'tls.pfx: got a value of type string; holds no PKCS#12 archive'],
        [{ ...pem(app), sessionTimeout: 0 }, 'tls.sessionTimeout: got 0; expected milliseconds'],
        [{ ...pem(app), ticketKeyFile: '/nowhere' }, 'tls.ticketKeyFile: got "/nowhere"; expected a file'],
      ] as [unknown, string][]
    ).map(([tls, message]): [string, unknown] => [message, tls]),
  )('%s', (message, tls) => expect(problemOf(tls)).toContain(message));

  it('without ever showing a key or a passphrase, however short', () => {
    const secret = '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----';
    for (const tls of [
      { cert: app.cert, key: secret },
      { cert: secret, key: app.key },
      { ...pem(app), passphrase: { toString: () => 'hunter2' } },
      { cert: app.cert, key: encrypted, passphrase: 'hunter2' },
      { ...pem(app), certificates: [{ cert: app.cert, key: encrypted, passphrase: 'hunter2' }] },
      { ...pem(app), passphrase: ['hunter2'] },
      { cert: app.cert, key: [secret, 5] },
    ]) {
      expect(problemOf(tls)).not.toContain('hunter2');
    }
  });

  it('ticket keys of another size than 48 bytes', () => {
    const at = files({ 'ticket.key': Buffer.alloc(80) });
    expect(problemOf({ ...pem(app), ticketKeyFile: at('ticket.key') })).toContain(
      'holds 80 bytes; expected 48 random ones',
    );
  });
});

describe('a certificate that can be used', () => {
  it('is told with its names, its dates and its file, and nothing secret', () => {
    const at = files({ 'a.pem': app.cert + authority.cert, 'a.key': app.key });
    const { certificates } = read({ cert: at('a.pem'), key: at('a.key') });
    expect(certificates).toEqual([
      {
        names: ['app.example', '*.app.example'],
        subject: 'CN=app.example',
        issuer: 'CN=Test CA',
        serialNumber: app.x509.serialNumber,
        fingerprint256: app.x509.fingerprint256,
        validFrom: Date.parse(app.x509.validFrom),
        validTo: Date.parse(app.x509.validTo),
        file: at('a.pem'),
      },
    ]);
  });

  it('may be given as bytes, and resolves to the same again', () => {
    const given = resolve({ cert: Buffer.from(app.cert), key: new Uint8Array(Buffer.from(app.key)) });
    expect(given).toMatchObject({ cert: [app.cert], key: [app.key] });
    expect(resolve(given as TlsInput)).toEqual(given);
  });

  it('shares a context with one for the same names whose key is of another kind', () => {
    const rsa = authority.issue({ names: ['app.example', '*.app.example'], keyType: 'rsa' });
    const set = read({ cert: [app.cert, rsa.cert, other.cert], key: [app.key, rsa.key, other.key] });
    expect(set.certificates.map(({ names }) => names[0])).toEqual(['app.example', 'other.example']);
    expect(set.fallback.cert).toHaveLength(2);
  });

  it('has another digest when anything in it changes, and only then', () => {
    const at = files({ 'a.pem': app.cert, 'a.key': app.key });
    const tls = { cert: at('a.pem'), key: at('a.key') };
    const before = read(tls).digest;
    expect(read(tls).digest).toBe(before);
    writeFileSync(at('a.pem'), app.cert + authority.cert);
    expect(read(tls).digest).not.toBe(before);
  });

  it('is warned of when it has expired, is not valid yet, or expires within a week', () => {
    const at = (days: number) => new Date(Date.now() + days * 86_400_000);
    const warned = (from: number, to: number) =>
      warningsAbout(read(pem(authority.issue({ names: ['a.example'], from: at(from), to: at(to) }))).certificates);
    expect(warned(-90, -1)).toEqual([`the certificate for a.example expired on ${at(-1).toISOString().slice(0, 10)}`]);
    expect(warned(1, 90)).toEqual([
      `the certificate for a.example is not valid before ${at(1).toISOString().slice(0, 10)}`,
    ]);
    expect(warned(-84, 6)).toEqual([`the certificate for a.example expires on ${at(6).toISOString().slice(0, 10)}`]);
    expect(warned(-60, 30)).toEqual([]);
    // One that lives for six days is renewed after four.
    expect(warned(-3, 3)).toEqual([]);
  });
});

describe('a PKCS#12 archive', () => {
  function archive(context: TestContext, password: string): string {
    const openssl = findOpenssl();
    if (openssl.missing !== undefined) return context.skip(openssl.missing);
    const at = files({ 'a.pem': app.cert, 'a.key': app.key });
    const inputs = ['-inkey', at('a.key'), '-in', at('a.pem')];
    execFileSync(openssl.path, ['pkcs12', '-export', ...inputs, '-passout', `pass:${password}`, '-out', at('a.pfx')]);
    return at('a.pfx');
  }

  it('gives certificate and key, and the names', (context) => {
    const pfx = archive(context, 'open sesame');
    expect(read({ pfx, passphrase: 'open sesame' }).certificates).toMatchObject([
      { names: ['app.example', '*.app.example'], file: pfx },
    ]);
    expect(read({ certificates: [{ pfx, passphrase: 'open sesame' }] }).certificates).toHaveLength(1);
  });

  it('needs its passphrase', (context) => {
    const pfx = archive(context, 'open sesame');
    expect(problemOf({ pfx })).toBe(`tls.pfx: got "${pfx}"; is encrypted; expected its \`passphrase\``);
    expect(problemOf({ pfx, passphrase: 'hunter2' })).toMatch(/the passphrase does not open it/);
  });
});

describe('the authority of the tests', () => {
  it('signs what verifies', () => {
    expect(app.x509.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
  });
});

function pem({ cert, key }: { readonly cert: string; readonly key: string }) {
  return { cert, key };
}
