/** Owns the shape of the TLS settings of a listener, after validation. Refuses to read what they name. */
import type { TlsOptions } from 'node:tls';

/** A version of TLS, as `node:tls` names it. */
export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/**
 * Certificate or key material: PEM text, the absolute name of a file, or a `data:` URL in base64 for what is binary. It stays as
 * it was given until a listener needs it, so that a file can be read again.
 */
export type Material = string;

/** One certificate, or several for the same names with keys of different kinds. */
export interface CertificateConfig {
  /** The names it is for; left out: those in the certificate. */
  readonly names?: readonly string[] | undefined;
  readonly cert?: readonly Material[] | undefined;
  readonly key?: readonly Material[] | undefined;
  /** Intermediate certificates that are not in the file of the certificate. */
  readonly chain?: Material | undefined;
  readonly pfx?: Material | undefined;
  readonly passphrase?: string | undefined;
  readonly passphraseFile?: string | undefined;
}

/** The TLS settings of a listener. */
export interface TlsConfig extends Omit<CertificateConfig, 'names'> {
  readonly certificates: readonly CertificateConfig[];
  readonly unknownName: 'first' | 'refuse';
  readonly clientAuth: 'none' | 'request' | 'require';
  readonly ca?: readonly Material[] | undefined;
  readonly crl?: readonly Material[] | undefined;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly ciphers?: string | undefined;
  readonly honorCipherOrder: boolean;
  readonly ecdhCurve?: string | undefined;
  readonly sessionTickets: boolean;
  /** Milliseconds. */
  readonly sessionTimeout: number;
  readonly ticketKeyFile?: string | undefined;
  readonly watch: boolean;
  readonly node?: TlsOptions | undefined;
}

/** One certificate of a listener, and which option of it stands where. */
export interface PlacedCertificate {
  readonly config: CertificateConfig;
  place(option: 'cert' | 'key' | 'chain' | 'pfx' | 'passphraseFile'): readonly PropertyKey[];
}

/** Every certificate of a listener, in order: what stands at the top, then the list. */
export function certificatesOf(config: TlsConfig): PlacedCertificate[] {
  const own: PlacedCertificate[] = [];
  const { cert, key, chain, pfx, passphrase, passphraseFile } = config;
  // Several at the top are told apart by their names, as several in the list are.
  const count = Math.max(cert?.length ?? 0, key?.length ?? 0);
  for (let index = 0; index < count; index += 1) {
    const one = { cert: slot(cert, index), key: slot(key, index), chain, passphrase, passphraseFile };
    own.push({ config: one, place: (option) => (isListed(option) ? [option, index] : [option]) });
  }
  if (pfx !== undefined) own.push({ config: { pfx, passphrase, passphraseFile }, place: (option) => [option] });
  const listed = config.certificates.map((one, index): PlacedCertificate => {
    const above = ['certificates', index];
    return { config: one, place: (option) => (isListed(option) ? [...above, option, 0] : [...above, option]) };
  });
  return [...own, ...listed];
}

function isListed(option: string): boolean {
  return option === 'cert' || option === 'key';
}

function slot<Value>(values: readonly Value[] | undefined, index: number): readonly Value[] | undefined {
  const value = values?.[index];
  return value === undefined ? undefined : [value];
}
