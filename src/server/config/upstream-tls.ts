/** Owns the options about TLS towards a target: PEM is read, and a certificate that cannot be used is told. Refuses to connect. */
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { z } from 'zod';
import { describeError } from '../../receivers/errors.js';
import { fromBaseDirectory, readConfigFile } from './base-directory.js';
import { choice, described, flag, optionalText } from './fields.js';

/** Replaces the name of a file by what is in it; PEM text stays as it is. */
function readPem(value: string, path: PropertyKey[], context: z.RefinementCtx): string {
  if (value.includes('-----BEGIN')) return value;
  try {
    return readConfigFile(value);
  } catch (error) {
    const message = `expected PEM text or the name of a readable file (${describeError(error)})`;
    context.addIssue({ code: 'custom', message, input: value, path });
    return z.NEVER;
  }
}

function readPems(value: unknown, path: PropertyKey[], context: z.RefinementCtx): unknown {
  if (typeof value === 'string') return readPem(value, path, context);
  if (!Array.isArray(value)) return value;
  return value.map((one: unknown, index) => (typeof one === 'string' ? readPem(one, [...path, index], context) : one));
}

const caError = 'expected PEM text, the name of a file, or a list of those';
const ca = z
  .union([z.string({ error: caError }).min(1, { error: caError }), z.array(z.string({ error: caError }))], {
    error: caError,
  })
  .transform((value, context) => readPems(value, [], context) as string | string[])
  .optional();

const pemError = 'expected PEM text or the name of a file';
const pem = z
  .string({ error: pemError })
  .min(1, { error: pemError })
  .transform((value, context) => readPem(value, [], context))
  .optional();

const PFX_ERROR = 'expected the name of a file, or bytes';
/** Bytes have no word in JSON Schema: any value, and a check of our own. */
const pfx = (
  z.unknown().transform((value, context): Buffer => {
    if (value instanceof Uint8Array) return Buffer.from(value);
    try {
      if (typeof value === 'string' && value !== '') return readFileSync(fromBaseDirectory(value));
      context.addIssue({ code: 'custom', message: PFX_ERROR, input: value });
    } catch (error) {
      context.addIssue({ code: 'custom', message: `${PFX_ERROR} (${describeError(error)})`, input: value });
    }
    return z.NEVER;
  }) as unknown as z.ZodType<Buffer, Uint8Array | string>
).optional();

function checkClientCertificate(
  given: { cert?: unknown; key?: unknown; pfx?: unknown },
  context: z.RefinementCtx,
): void {
  const { cert, key } = given;
  const lacks = cert === undefined ? 'cert' : 'key';
  if ((cert === undefined) !== (key === undefined)) {
    context.addIssue({
      code: 'custom',
      message: 'expected `key` and `cert`, both of them',
      input: undefined,
      path: [lacks],
    });
    return;
  }
  try {
    createSecureContext(given as SecureContextOptions);
  } catch (error) {
    // Never the whole group: a key and a passphrase are in it.
    const name = ['pfx', 'cert', 'ciphers'].find((one) => one in given && given[one as 'pfx'] !== undefined) ?? 'ca';
    const message = `expected TLS settings that can be used (${describeError(error)})`;
    context.addIssue({ code: 'custom', message, path: [name] });
  }
}

/** TLS towards a `wss:` or `tls:` target. */
export const upstreamTls = described(
  z
    .strictObject({
      /** Certificate authorities to trust instead of those of Node.js: PEM text or the name of a file, or a list. */
      ca: described(ca, 'text', {
        description:
          'Certificate authorities to trust instead of those of Node.js: PEM text or the name of a file, or a list.',
        placeholder: '<file>',
      }),
      /** Our certificate with its chain, for targets that ask for one: PEM text or the name of a file. */
      cert: described(pem, 'text', {
        description: 'Our certificate with its chain, for targets that ask for one: PEM text or the name of a file.',
        placeholder: '<file>',
      }),
      /** The key of `cert`: PEM text or the name of a file. */
      key: described(pem, 'text', {
        description: 'The key of `cert`: PEM text or the name of a file.',
        placeholder: '<file>',
      }),
      /** Key and certificate in one, as PKCS #12, in place of `key` and `cert`: the name of a file, or in code its bytes. */
      pfx: described(pfx, 'text', {
        description:
          'Key and certificate in one, as PKCS #12, in place of `key` and `cert`: the name of a file, or in code its bytes.',
        placeholder: '<file>',
      }),
      /** What `key` or `pfx` is encrypted with. */
      passphrase: optionalText({ description: 'What `key` or `pfx` is encrypted with.', placeholder: '<secret>' }),
      /** The oldest version of TLS that is spoken with a target. */
      minVersion: choice(['TLSv1.2', 'TLSv1.3'], {
        description: 'The oldest version of TLS that is spoken with a target.',
      }),
      /** The ciphers that are offered, as OpenSSL writes them. */
      ciphers: optionalText({
        description: 'The ciphers that are offered, as OpenSSL writes them.',
        defaultText: 'those of Node.js',
      }),
      /** The name to ask for and to verify, when it is not the host of the target. */
      servername: optionalText({
        description: 'The name to ask for and to verify, when it is not the host of the target.',
        placeholder: '<name>',
      }),
      /** Whether a target with an invalid certificate is refused. Turning this off invites anyone on the path. */
      rejectUnauthorized: flag({
        description:
          'Whether a target with an invalid certificate is refused. Turning this off invites anyone on the path.',
        default: true,
      }),
    })
    .superRefine(checkClientCertificate)
    .prefault({}),
  'group',
  { description: 'TLS towards a `wss:` or `tls:` target.' },
);
