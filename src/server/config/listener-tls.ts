/**
 * Owns the TLS settings of a listener as options: how they are written, and a first check that what they name can be used.
 * Refuses to make anything of it but messages.
 */
import type { TlsOptions } from 'node:tls';
import { z } from 'zod';
import { describeError } from '../../receivers/errors.js';
import { readContexts } from '../tls/context-set.js';
import { isServerName } from '../tls/name-table.js';
import { isFile, MaterialError, materialOf } from '../tls/read-material.js';
import type { TlsConfig, TlsVersion } from '../tls/tls-config.js';
import { fromBaseDirectory } from './base-directory.js';
import { choice, described, duration, flag, optionalText } from './fields.js';

/** Certificate or key material as code may give it: PEM text, the name of a file, or bytes. */
export type MaterialInput = string | Uint8Array;

/** One entry of `certificates`. */
export interface CertificateInput {
  names?: string | readonly string[] | undefined;
  cert?: MaterialInput | readonly MaterialInput[] | undefined;
  key?: MaterialInput | readonly MaterialInput[] | undefined;
  chain?: MaterialInput | undefined;
  pfx?: MaterialInput | undefined;
  passphrase?: string | undefined;
  passphraseFile?: string | undefined;
}

/** The TLS settings of a listener as they are given. */
export interface TlsInput extends Omit<CertificateInput, 'names'> {
  certificates?: readonly CertificateInput[] | undefined;
  unknownName?: TlsConfig['unknownName'] | undefined;
  clientAuth?: TlsConfig['clientAuth'] | undefined;
  ca?: MaterialInput | readonly MaterialInput[] | undefined;
  crl?: MaterialInput | readonly MaterialInput[] | undefined;
  minVersion?: TlsVersion | undefined;
  maxVersion?: TlsVersion | undefined;
  ciphers?: string | undefined;
  honorCipherOrder?: boolean | undefined;
  ecdhCurve?: string | undefined;
  sessionTickets?: boolean | undefined;
  sessionTimeout?: z.input<ReturnType<typeof duration>> | undefined;
  ticketKeyFile?: string | undefined;
  watch?: boolean | undefined;
  node?: TlsOptions | undefined;
}

const MATERIAL = 'expected PEM text or the name of a file';

/** Bytes become text, and the name of a file an absolute one: it will be read again when nobody knows any more what it was relative to. */
function place(value: unknown): unknown {
  if (value instanceof Uint8Array) return materialOf(value);
  return typeof value === 'string' && value !== '' && isFile(value) ? fromBaseDirectory(value) : value;
}

const placed = z.preprocess(place, z.string({ error: MATERIAL }).min(1, { error: MATERIAL }));
const list = z.array(placed, { error: `${MATERIAL}, or a list of those` });
const asList = (value: unknown): unknown => (value === undefined || Array.isArray(value) ? value : [value]);
const placedList = z.preprocess(asList, list.min(1, { error: MATERIAL }));

const nameError = 'expected a host name such as example.org, or a wildcard for one label such as *.example.org';
const names = z.preprocess(
  (value) => (typeof value === 'string' ? [value] : value),
  z.array(z.string({ error: nameError }).refine(isServerName, { error: nameError }), { error: nameError }).min(1, {
    error: nameError,
  }),
);

const certificate = z.strictObject(
  {
    names: names.optional(),
    cert: placedList.optional(),
    key: placedList.optional(),
    chain: placed.optional(),
    pfx: placed.optional(),
    passphrase: z.string({ error: 'expected text' }).optional(),
    passphraseFile: placed.optional(),
  },
  { error: 'expected an object such as { cert, key }, and perhaps names' },
);

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/** What `node` may not say, because it is said elsewhere; and where. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  requestCert: 'clientAuth',
  rejectUnauthorized: 'clientAuth',
  ticketKeys: 'ticketKeyFile',
  sessionIdContext: 'clientAuth',
  handshakeTimeout: 'timeouts.handshake',
};

const node = z
  .looseObject({}, { error: 'expected an object with options of node:tls' })
  .superRefine((value, context) => {
    for (const name of Object.keys(value)) {
      const own = Object.hasOwn(settings.shape, name) ? name : ELSEWHERE[name];
      if (own === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        input: value[name],
        message: `expected \`${own}\` of the TLS settings instead`,
      });
    }
  }) as unknown as z.ZodType<TlsOptions, TlsOptions>;

const settings = z.strictObject({
  /** The certificate, its intermediates behind it, as PEM text or the name of a file. Several with as many keys are told apart by the names in them. */
  cert: described(placedList.optional(), 'list', {
    description:
      'The certificate, its intermediates behind it, as PEM text or the name of a file. Several with as many keys are told apart by the names in them.',
    placeholder: '<file>',
  }),
  /** The private key of the certificate, as PEM text or the name of a file. */
  key: described(placedList.optional(), 'list', {
    description: 'The private key of the certificate, as PEM text or the name of a file.',
    placeholder: '<file>',
  }),
  /** Intermediate certificates, when they are not in the file of the certificate. */
  chain: described(placed.optional(), 'text', {
    description: 'Intermediate certificates, when they are not in the file of the certificate.',
    placeholder: '<file>',
  }),
  /** Certificate and key as a PKCS#12 archive, instead of `cert` and `key`. */
  pfx: described(placed.optional(), 'text', {
    description: 'Certificate and key as a PKCS#12 archive, instead of `cert` and `key`.',
    placeholder: '<file>',
  }),
  /** What the private key or the archive is encrypted with. On a command line everybody on the machine can read it: better a file, or the environment. */
  passphrase: optionalText({
    description:
      'What the private key or the archive is encrypted with. On a command line everybody on the machine can read it: better a file, or the environment.',
  }),
  /** A file with the passphrase in it. */
  passphraseFile: described(placed.optional(), 'text', {
    description: 'A file with the passphrase in it.',
    placeholder: '<file>',
  }),
  /** More certificates, each for the names that a client may ask for (SNI): a list of objects with `cert` and `key` or `pfx`, and perhaps `chain`, `passphrase`, `passphraseFile` and `names`; left out, these are the names in the certificate. An exact name beats a wildcard, which stands for one label. */
  certificates: described(
    z.array(certificate, { error: 'expected a list of objects such as { cert, key }' }).default([]),
    'list',
    {
      description:
        'More certificates, each for the names that a client may ask for (SNI): a list of objects with `cert` and `key` or `pfx`, and perhaps `chain`, `passphrase`, `passphraseFile` and `names`; left out, these are the names in the certificate. An exact name beats a wildcard, which stands for one label.',
      flag: false,
      defaultText: 'none',
    },
  ),
  /** What a client gets that asks for a name no certificate has, or for none: the `first` certificate, or an end of the handshake (`refuse`). */
  unknownName: choice(['first', 'refuse'], {
    description:
      'What a client gets that asks for a name no certificate has, or for none: the `first` certificate, or an end of the handshake (`refuse`).',
  }),
  /** Whether clients are asked for a certificate: `request` lets everybody in and tells who verified, `require` refuses with 403 who did not. */
  clientAuth: choice(['none', 'request', 'require'], {
    description:
      'Whether clients are asked for a certificate: `request` lets everybody in and tells who verified, `require` refuses with 403 who did not.',
  }),
  /** Authorities that may have signed the certificates of clients. Needed with `clientAuth`, as those of Node.js sign for the whole world; an empty list trusts none, and `onVerifyPeer` decides. */
  ca: described(z.preprocess(asList, list).optional(), 'list', {
    description:
      'Authorities that may have signed the certificates of clients. Needed with `clientAuth`, as those of Node.js sign for the whole world; an empty list trusts none, and `onVerifyPeer` decides.',
    placeholder: '<file>',
  }),
  /** Lists of revoked certificates of clients, one for each authority. */
  crl: described(placedList.optional(), 'list', {
    description: 'Lists of revoked certificates of clients, one for each authority.',
    placeholder: '<file>',
  }),
  /** The oldest version of TLS that is spoken. OpenSSL speaks those before `TLSv1.2` only with `ciphers: DEFAULT@SECLEVEL=0`. */
  minVersion: choice(VERSIONS, {
    description:
      'The oldest version of TLS that is spoken. OpenSSL speaks those before `TLSv1.2` only with `ciphers: DEFAULT@SECLEVEL=0`.',
    default: 'TLSv1.2',
  }),
  /** The newest version of TLS that is spoken. */
  maxVersion: choice(VERSIONS, { description: 'The newest version of TLS that is spoken.', default: 'TLSv1.3' }),
  /** The ciphers, as OpenSSL writes them: those of TLS 1.2 and those of TLS 1.3 in one list with colons. */
  ciphers: optionalText({
    description: 'The ciphers, as OpenSSL writes them: those of TLS 1.2 and those of TLS 1.3 in one list with colons.',
    defaultText: 'those of Node.js',
  }),
  /** Whether the order of `ciphers` decides, and not that of the client. */
  honorCipherOrder: flag({
    description: 'Whether the order of `ciphers` decides, and not that of the client.',
    default: true,
  }),
  /** The curves for the exchange of keys, in order, with colons: such as `X25519:P-256`. */
  ecdhCurve: optionalText({
    description: 'The curves for the exchange of keys, in order, with colons: such as `X25519:P-256`.',
    defaultText: 'those of OpenSSL',
  }),
  /** Whether clients get session tickets, so that they come back with less work on both sides. */
  sessionTickets: flag({
    description: 'Whether clients get session tickets, so that they come back with less work on both sides.',
    default: true,
  }),
  /** How long a client may come back with a session. */
  sessionTimeout: duration({
    description: 'How long a client may come back with a session.',
    default: '5m',
    min: 1000,
  }),
  /** A file of 48 random bytes that tickets are sealed with, for several processes that share a name. Left out: keys of the process's own, changed every twelve hours. */
  ticketKeyFile: described(placed.optional(), 'text', {
    description:
      "A file of 48 random bytes that tickets are sealed with, for several processes that share a name. Left out: keys of the process's own, changed every twelve hours.",
    placeholder: '<file>',
  }),
  /** Whether certificates are read again when their files change. SIGHUP reads them again in any case. */
  watch: flag({
    description: 'Whether certificates are read again when their files change. SIGHUP reads them again in any case.',
    default: true,
  }),
  /** Anything else that `tls.createServer` of Node.js takes, such as `dhparam`, `sigalgs` or, in code, `SNICallback`; passed on as it is. */
  node: described(node.optional(), 'text', {
    description:
      'Anything else that `tls.createServer` of Node.js takes, such as `dhparam`, `sigalgs` or, in code, `SNICallback`; passed on as it is.',
    flag: false,
  }),
});

/** The TLS settings of one listener. Every file is read once here, so that a wrong one is found before anything listens. */
export const listenerTls = settings.transform((value, context): TlsConfig => {
  const config = Object.fromEntries(
    Object.entries(value).filter(([, one]) => one !== undefined),
  ) as unknown as TlsConfig;
  if (config.clientAuth !== 'none' && config.ca === undefined && config.node?.SNICallback === undefined) {
    const message = `expected the authorities that sign the certificates of your clients, as \`clientAuth\` is ${config.clientAuth}`;
    context.addIssue({ code: 'custom', message, input: value, path: ['ca'] });
    return z.NEVER;
  }
  if (VERSIONS.indexOf(config.maxVersion) < VERSIONS.indexOf(config.minVersion)) {
    const message = `expected at least minVersion, which is ${config.minVersion}`;
    context.addIssue({ code: 'custom', message, input: value, path: ['maxVersion'] });
    return z.NEVER;
  }
  try {
    readContexts(config, {}, undefined);
  } catch (error) {
    const at = error instanceof MaterialError ? [...error.at] : [];
    const message =
      error instanceof MaterialError ? error.message : `expected what node:tls can use (${describeError(error)})`;
    context.addIssue({ code: 'custom', message, input: value, path: at });
  }
  return config;
}) as unknown as z.ZodType<TlsConfig, TlsInput>;
