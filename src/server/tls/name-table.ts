/** Owns finding what belongs to the name a client asks for (SNI, RFC 6066 section 3). Refuses to know what that is. */
import type { X509Certificate } from 'node:crypto';
import { domainToASCII } from 'node:url';

/** Entries by host name. An exact name beats a wildcard, an entry that was added first one that was added later. */
export class NameTable<Entry> {
  readonly #exact = new Map<string, Entry>();
  readonly #wildcards = new Map<string, Entry>();

  add(name: string, entry: Entry): void {
    const plain = normalName(name);
    const table = plain.startsWith('*.') ? this.#wildcards : this.#exact;
    const key = plain.startsWith('*.') ? plain.slice(2) : plain;
    if (!table.has(key)) table.set(key, entry);
  }

  /** A wildcard stands for one label: `*.example.org` is `a.example.org`, and neither `example.org` nor `a.b.example.org`. */
  find(servername: string): Entry | undefined {
    const name = servername.toLowerCase().replace(/\.$/, '');
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot > 0 ? this.#wildcards.get(name.slice(dot + 1)) : undefined;
  }
}

const NAME = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** Whether a certificate can be chosen by this name. */
export function isServerName(name: string): boolean {
  return NAME.test(normalName(name)) && name.length <= 253;
}

/** The alternative names of a certificate, each with its kind. One with a comma in it is in quotes there, and stays so. */
export function alternativeNames(text: string | undefined): string[] {
  const found = (text ?? '').matchAll(/([^:,"]+:(?:"(?:[^"\\]|\\.)*"|[^,]*))(?:, |$)/g);
  return [...found].map(([, name]) => name ?? '');
}

/** The names in a certificate by which a client can ask for it: those for DNS, else the common name. */
export function certificateNames(certificate: Pick<X509Certificate, 'subject' | 'subjectAltName'>): string[] {
  const names = alternativeNames(certificate.subjectAltName)
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => normalName(name.slice(4)));
  if (names.length > 0) return names.filter(isServerName);
  const common = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
  // RFC 6125 section 6.4.4: the common name counts only without names in the extension; an address is not asked for.
  return isServerName(common) && !/^[\d.]+$/.test(common) ? [normalName(common)] : [];
}

function normalName(name: string): string {
  const lower = name.toLowerCase().replace(/\.$/, '');
  if (/^[\x20-\x7e]*$/.test(lower)) return lower;
  const isWildcard = lower.startsWith('*.');
  return `${isWildcard ? '*.' : ''}${domainToASCII(isWildcard ? lower.slice(2) : lower)}`;
}
