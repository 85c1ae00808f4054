/**
 * Owns reading one certificate with its key: that they can be used, that they belong together, for which names, and until when.
 * Refuses to choose between certificates.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { describeError } from '../../receivers/errors.js';
import { certificateNames } from './name-table.js';
import { isFile, MaterialError, nameOf, readBytes, readPem } from './read-material.js';
import type { CertificateConfig, Material, PlacedCertificate } from './tls-config.js';

/** What may be said about a certificate: nothing of it is secret. */
export interface CertificateFacts {
  /** The names it is chosen for, such as `example.org` and `*.example.org`; empty when it has none. */
  readonly names: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  /** SHA-256, in hexadecimal with colons. */
  readonly fingerprint256: string;
  /** In milliseconds since the epoch. */
  readonly validFrom: number;
  /** In milliseconds since the epoch. */
  readonly validTo: number;
  /** The file it came from; undefined when it was given as text. */
  readonly file: string | undefined;
}

/** One certificate that was read, as `node:tls` takes it. */
export interface ReadCertificate {
  readonly facts: CertificateFacts;
  /** The kind of its key, such as `rsa` or `ec`; empty when it is not known. */
  readonly keyType: string;
  readonly options: Pick<SecureContextOptions, 'cert' | 'key' | 'pfx'>;
}

/** Reads certificate and key of one entry. @throws MaterialError for what cannot be used, naming the file. */
export function readCertificate({ config, place }: PlacedCertificate): ReadCertificate {
  const passphrase = readPassphrase(config, place('passphraseFile'));
  if (config.pfx !== undefined) return readPfx(config.pfx, passphrase, config, place('pfx'));
  const [cert, key] = [config.cert?.[0], config.key?.[0]];
  if (cert === undefined) throw new MaterialError(place('cert'), 'expected a `cert` for each `key`, or `pfx`');
  if (key === undefined) throw new MaterialError(place('key'), 'expected a `key` for each `cert`');
  const chain = readChain(cert, place('cert'));
  const keyObject = readKey(key, passphrase, place('key'));
  const leaf = chain[0]!;
  if (!leaf.checkPrivateKey(keyObject)) {
    const other = chain.slice(1).some((one) => one.checkPrivateKey(keyObject));
    const advice = other
      ? 'its certificate is in that file, but not the first: put it first, intermediates behind it'
      : 'expected the key that this certificate was made for';
    throw new MaterialError(place('key'), `does not belong to the certificate in ${nameOf(cert, 'cert')}; ${advice}`);
  }
  const more = config.chain === undefined ? [] : readChain(config.chain, place('chain'));
  return {
    facts: factsOf(leaf, config, cert),
    keyType: keyObject.asymmetricKeyType ?? '',
    options: {
      cert: [...chain, ...more].map((one) => one.toString()).join(''),
      // Opened, so that certificates with different passphrases can share a context.
      key: keyObject.export({ type: 'pkcs8', format: 'pem' }),
    },
  };
}

function readPassphrase({ passphrase, passphraseFile }: CertificateConfig, at: readonly PropertyKey[]) {
  if (passphraseFile === undefined) return passphrase;
  return readBytes(passphraseFile, at, 'a text')
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** Reads every certificate of a PEM, in order. @throws MaterialError when there is none. */
export function readChain(material: Material, at: readonly PropertyKey[]): X509Certificate[] {
  const pems = readPem(material, at).match(CERTIFICATE) ?? [];
  if (pems.length === 0) {
    const advice = 'a binary one (DER) becomes PEM by `openssl x509 -inform der -in FILE`';
    throw new MaterialError(at, `holds no PEM certificate; expected "-----BEGIN CERTIFICATE-----", and ${advice}`);
  }
  return pems.map((pem, index) => {
    try {
      return new X509Certificate(pem);
    } catch (error) {
      throw new MaterialError(at, `certificate ${index + 1} in it is damaged (${describeError(error)})`);
    }
  });
}

function readKey(material: Material, passphrase: string | undefined, at: readonly PropertyKey[]): KeyObject {
  const pem = readPem(material, at);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new MaterialError(at, 'holds no PEM private key; expected "-----BEGIN PRIVATE KEY-----"');
  }
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (error) {
    // The text of OpenSSL says nothing that helps, and another thing in every version.
    if (!/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem)) {
      throw new MaterialError(at, `the private key in it is damaged (${describeError(error)})`);
    }
    const problem = passphrase === undefined ? 'is encrypted; expected its `passphrase`' : NOT_OPENED;
    throw new MaterialError(at, problem);
  }
}

const NOT_OPENED = 'is encrypted, and the passphrase does not open it; expected the right `passphrase`';

function readPfx(
  pfx: Material,
  passphrase: string | undefined,
  config: CertificateConfig,
  at: readonly PropertyKey[],
): ReadCertificate {
  const buf = readBytes(pfx, at, 'a PKCS#12 archive');
  const entry = passphrase === undefined ? buf : [{ buf, passphrase }];
  let leaf: X509Certificate | undefined;
  try {
    leaf = leafOf(createSecureContext({ pfx: entry }));
  } catch (error) {
    const reason = describeError(error);
    if (!reason.includes('mac verify')) throw new MaterialError(at, `holds no PKCS#12 archive (${reason})`);
    throw new MaterialError(at, passphrase === undefined ? 'is encrypted; expected its `passphrase`' : NOT_OPENED);
  }
  if (leaf === undefined) throw new MaterialError(at, 'holds no certificate with its key');
  const facts = factsOf(leaf, config, pfx);
  return { facts, keyType: leaf.publicKey.asymmetricKeyType ?? '', options: { pfx: entry } };
}

/** Node.js opens an archive only inside a context; what came out can be asked of that. */
function leafOf({ context }: { context: unknown }): X509Certificate | undefined {
  const { getCertificate } = context as { getCertificate?(): Buffer | null };
  const der = getCertificate?.call(context);
  return der === undefined || der === null ? undefined : new X509Certificate(der);
}

function factsOf(leaf: X509Certificate, { names }: CertificateConfig, material: Material): CertificateFacts {
  return {
    names: names ?? certificateNames(leaf),
    subject: oneLine(leaf.subject),
    issuer: oneLine(leaf.issuer),
    serialNumber: leaf.serialNumber,
    fingerprint256: leaf.fingerprint256,
    validFrom: Date.parse(leaf.validFrom),
    validTo: Date.parse(leaf.validTo),
    file: isFile(material) ? material : undefined,
  };
}

/** The subject or issuer of a certificate in one line, such as `O=Example, CN=client`. */
export function oneLine(name: string | undefined): string {
  return (name ?? '').trimEnd().replaceAll('\n', ', ');
}
