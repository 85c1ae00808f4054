/**
 * Owns a certificate authority for one test: certificates for any names, any dates and any kind of key, made in a moment. Refuses
 * to be trusted anywhere else.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as der from './der.js';
import type { TestCertificate } from './tls.js';

/** What a certificate says. */
export interface Wishes {
  /** The common name. */
  readonly name?: string;
  /** Hosts and addresses, or with another kind in front: `URI:…`, `email:…`. */
  readonly names?: readonly string[];
  readonly from?: Date;
  readonly to?: Date;
  readonly keyType?: 'ec' | 'rsa';
}

/** A certificate with its key as PEM, and as Node.js sees it. */
export interface IssuedCertificate extends TestCertificate {
  readonly x509: X509Certificate;
  readonly keyObject: KeyObject;
}

const DAY = 24 * 60 * 60 * 1000;
const ECDSA_WITH_SHA256 = der.sequence(der.identifier('1.2.840.10045.4.3.2'));

/** Signs certificates. */
export class TestAuthority {
  /** PEM, to be trusted. */
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name = 'Test CA') {
    this.#name = name;
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    this.#key = privateKey;
    const constraints = extension('2.5.29.19', der.sequence(der.yes), true);
    const usage = extension('2.5.29.15', Buffer.from([0x03, 0x02, 0x01, 0x06]), true);
    this.cert = this.#sign(nameOf(name), publicKey, new Date(Date.now() - DAY), inDays(3650), [constraints, usage]);
  }

  issue({
    name,
    names = [],
    from = new Date(Date.now() - DAY),
    to = inDays(90),
    keyType = 'ec',
  }: Wishes): IssuedCertificate {
    const { privateKey, publicKey } =
      keyType === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
    const extensions = names.length === 0 ? [] : [extension('2.5.29.17', der.sequence(...names.map(alternative)))];
    const cert = this.#sign(nameOf(name ?? names[0] ?? 'nobody'), publicKey, from, to, extensions);
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { cert, key, x509: new X509Certificate(cert), keyObject: privateKey };
  }

  /** A list of what was revoked, as PEM. */
  revoke(...certificates: readonly IssuedCertificate[]): string {
    const entries = certificates.map(({ x509 }) =>
      der.sequence(der.integer(Buffer.from(x509.serialNumber, 'hex')), der.time(new Date())),
    );
    const list = der.sequence(
      der.integer(Buffer.from([1])),
      ECDSA_WITH_SHA256,
      nameOf(this.#name),
      der.time(new Date(Date.now() - DAY)),
      der.time(inDays(30)),
      der.sequence(...entries),
    );
    return pem('X509 CRL', this.#seal(list));
  }

  #sign(subject: Buffer, publicKey: KeyObject, from: Date, to: Date, extensions: readonly Buffer[]): string {
    const serial = randomBytes(12);
    serial[0] = 0x10;
    const certificate = der.sequence(
      der.tagged(0, der.integer(Buffer.from([2]))),
      der.integer(serial),
      ECDSA_WITH_SHA256,
      nameOf(this.#name),
      der.sequence(der.time(from), der.time(to)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      ...(extensions.length === 0 ? [] : [der.tagged(3, der.sequence(...extensions))]),
    );
    return pem('CERTIFICATE', this.#seal(certificate));
  }

  #seal(what: Buffer): Buffer {
    return der.sequence(what, ECDSA_WITH_SHA256, der.bits(sign('sha256', what, this.#key)));
  }
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * DAY);
}

function nameOf(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.identifier('2.5.4.3'), der.utf8(commonName))));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return der.sequence(der.identifier(id), ...(critical ? [der.yes] : []), der.octets(value));
}

const KINDS: Readonly<Record<string, number>> = { email: 1, URI: 6 };

function alternative(name: string): Buffer {
  const [, kind = '', rest = ''] = /^(email|URI):(.*)$/.exec(name) ?? [];
  if (kind !== '') return der.named(KINDS[kind]!, Buffer.from(rest));
  if (isIP(name) === 4) return der.named(7, Buffer.from(name.split('.').map(Number)));
  return der.named(2, Buffer.from(name));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
