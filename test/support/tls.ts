/** Owns the certificates that tests use for TLS. Refuses to be trusted anywhere else: the keys are public. */
import { readFileSync } from 'node:fs';
import type { TlsInput } from '../../src/server/config/listener-tls.js';
import { resolveProxyOptions } from '../../src/server/config/options.js';
import { TicketKeys } from '../../src/server/tls/ticket-keys.js';
import type { TlsHooks } from '../../src/server/tls/tls-hooks.js';
import { TlsListening } from '../../src/server/tls/tls-listening.js';

/** A self-signed certificate and its key, as PEM. The certificate is its own CA. */
export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
}

/** Valid for `localhost`, `127.0.0.1` and `::1`. */
export const localhostCertificate: TestCertificate = read('localhost');

/** Valid for `other.example` only. */
export const otherCertificate: TestCertificate = read('other');

/** TLS for a listener without a server around it. What a hook throws is thrown. */
export function listenWith(input: TlsInput, hooks: TlsHooks = {}, tickets = new TicketKeys()): TlsListening {
  const exception = (error: unknown): void => {
    throw error;
  };
  return new TlsListening(resolveProxyOptions({ tls: input }).tls!, { hooks, tickets, exception });
}

function read(name: string): TestCertificate {
  const file = (kind: string) => readFileSync(new URL(`./certs/${name}.${kind}.pem`, import.meta.url), 'utf8');
  return { key: file('key'), cert: file('cert') };
}
