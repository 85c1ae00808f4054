/** Owns the certificates that tests use for TLS. Refuses to be trusted anywhere else: the keys are public. */
import { readFileSync } from 'node:fs';

/** A self-signed certificate and its key, as PEM. The certificate is its own CA. */
export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
}

/** Valid for `localhost`, `127.0.0.1` and `::1`. */
export const localhostCertificate: TestCertificate = read('localhost');

/** Valid for `other.example` only. */
export const otherCertificate: TestCertificate = read('other');

function read(name: string): TestCertificate {
  const file = (kind: string) => readFileSync(new URL(`./certs/${name}.${kind}.pem`, import.meta.url), 'utf8');
  return { key: file('key'), cert: file('cert') };
}
