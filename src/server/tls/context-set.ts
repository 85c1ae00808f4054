/**
 * Owns making the secure contexts of one listener: one for each certificate, and what they have in common. Refuses to
 * listen, and to read anything a second time.
 */
import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { describeError } from '../../receivers/errors.js';
import { type CertificateFacts, type ReadCertificate, readCertificate, readChain } from './certificate.js';
import { NameTable } from './name-table.js';
import { MaterialError, readBytes, readPem } from './read-material.js';
import { certificatesOf, type TlsConfig } from './tls-config.js';
import type { TlsHooks } from './tls-hooks.js';

/** Everything one listener needs from its certificates, made at one moment. */
export interface ContextSet {
  /** For clients that ask for no name, and for a name that no certificate has. */
  readonly fallback: SecureContextOptions;
  /** By name; undefined when every client gets the fallback. */
  readonly byName: NameTable<SecureContext> | undefined;
  readonly certificates: readonly CertificateFacts[];
  /** Session ticket keys of the listener's own; undefined when it takes those of the server. */
  readonly ticketKeys: Buffer | undefined;
  /** Changes when anything in the set does. */
  readonly digest: string;
}

/** The size of session ticket keys, in bytes. */
export const TICKET_KEY_BYTES = 48;

/**
 * Reads what a listener is configured with, and makes its contexts.
 *
 * @param sharedKeys the ticket keys of the server.
 * @throws MaterialError that names the option and the file. What a hook throws comes as it is.
 */
export function readContexts(config: TlsConfig, hooks: TlsHooks, sharedKeys: Buffer | undefined): ContextSet {
  const ticketKeys = readTicketKeys(config);
  const common = commonOptions(config, ticketKeys ?? sharedKeys);
  const groups = groupByNames(certificatesOf(config).map(readCertificate));
  if (groups.length === 0 && config.node?.SNICallback === undefined) {
    throw new MaterialError([], 'expected `cert` and `key`, or `pfx`, or `certificates`');
  }
  const made = groups.map(({ facts, options }) => {
    const wanted = { ...common, ...options };
    const chosen = hooks.onSecureContextOptions?.(wanted, facts) ?? wanted;
    const context = tryContext(chosen);
    return { facts, options: chosen, context: hooks.onSecureContext?.(context, facts) ?? context };
  });
  if (made.length === 0) tryContext(common);
  const isStrict = config.unknownName === 'refuse';
  const byName = new NameTable<SecureContext>();
  for (const { facts, context } of made) for (const name of facts.names) byName.add(name, context);
  const needsNames = made.length > 1 || isStrict || hooks.onSecureContext !== undefined;
  return {
    fallback: isStrict ? common : (made[0]?.options ?? common),
    byName: needsNames ? byName : undefined,
    certificates: made.map(({ facts }) => facts),
    ticketKeys,
    digest: digestOf([common.sessionIdContext, ticketKeys, groups.map(({ options }) => options)]),
  };
}

function commonOptions(config: TlsConfig, ticketKeys: Buffer | undefined): SecureContextOptions {
  const ca = config.ca?.map((one, index) => {
    readChain(one, ['ca', index]);
    return readPem(one, ['ca', index]);
  });
  const crl = config.crl?.map((one, index) => readPem(one, ['crl', index]));
  const { minVersion, maxVersion, ciphers, honorCipherOrder, ecdhCurve, sessionTickets, sessionTimeout } = config;
  const own = { ca, crl, minVersion, maxVersion, ciphers, ecdhCurve };
  const { node = {} } = config;
  return {
    ...node,
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
    honorCipherOrder,
    secureOptions: (node.secureOptions ?? 0) | (sessionTickets ? 0 : constants.SSL_OP_NO_TICKET),
    // Node.js counts seconds.
    sessionTimeout: Math.max(1, Math.round(sessionTimeout / 1000)),
    // A session is taken up again only where a client would have had to show the same to get it. The ticket keys are those of all
    // listeners of a server, and a session that was had without a certificate counts as verified when TLS 1.3 takes it up.
    sessionIdContext: digestOf([config.clientAuth, own]).slice(0, 32),
    ...(ticketKeys === undefined ? {} : { ticketKeys }),
  };
}

/** OpenSSL tells apart what it cannot use only by its words. */
function tryContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    const reason = describeError(error);
    const option = /cipher/i.test(reason)
      ? 'ciphers'
      : /curve/i.test(reason)
        ? 'ecdhCurve'
        : /crl/i.test(reason)
          ? 'crl'
          : '';
    throw new MaterialError(option === '' ? [] : [option], `expected what OpenSSL can use (${reason})`);
  }
}

function readTicketKeys({ ticketKeyFile }: TlsConfig): Buffer | undefined {
  if (ticketKeyFile === undefined) return undefined;
  const keys = readBytes(ticketKeyFile, ['ticketKeyFile'], 'a file');
  if (keys.length === TICKET_KEY_BYTES) return keys;
  const message = `holds ${keys.length} bytes; expected ${TICKET_KEY_BYTES} random ones (openssl rand ${TICKET_KEY_BYTES})`;
  throw new MaterialError(['ticketKeyFile'], message);
}

interface Group {
  readonly facts: CertificateFacts;
  readonly options: SecureContextOptions;
}

/** Certificates for the same names with keys of different kinds are one context: OpenSSL takes what the client can verify. */
function groupByNames(certificates: readonly ReadCertificate[]): Group[] {
  const groups = new Map<string, { facts: CertificateFacts; certs: unknown[]; keys: unknown[]; types: Set<string> }>();
  const result: Group[] = [];
  for (const { facts, keyType, options } of certificates) {
    const key = [...facts.names].sort().join(' ');
    const before = groups.get(key);
    if (options.pfx !== undefined) {
      result.push({ facts, options });
    } else if (before !== undefined && key !== '' && !before.types.has(keyType)) {
      before.certs.push(options.cert);
      before.keys.push(options.key);
      before.types.add(keyType);
    } else {
      const group = { facts, certs: [options.cert], keys: [options.key], types: new Set([keyType]) };
      if (before === undefined) groups.set(key, group);
      result.push({ facts, options: { cert: group.certs, key: group.keys } as SecureContextOptions });
    }
  }
  return result;
}

function digestOf(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex');
}

/** What an operator should know about certificates that can be used. */
export function warningsAbout(certificates: readonly CertificateFacts[], now = Date.now()): string[] {
  return certificates.flatMap(({ names, file, subject, validFrom, validTo }) => {
    const which = `the certificate for ${names.join(', ') || subject || 'no name'}${file === undefined ? '' : ` in ${file}`}`;
    const soon = Math.min(7 * DAY, (validTo - validFrom) / 10);
    if (validTo <= now) return [`${which} expired on ${day(validTo)}`];
    if (validFrom > now) return [`${which} is not valid before ${day(validFrom)}`];
    return validTo - now < soon ? [`${which} expires on ${day(validTo)}`] : [];
  });
}

const DAY = 24 * 60 * 60 * 1000;

function day(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString().slice(0, 10) : 'an unknown day';
}
