/** Owns the TLS settings of both sides: PEM given as text or as a file, and a first check that it can be used at all. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext, type TlsOptions } from 'node:tls';
import { z } from 'zod';
import { describeError } from '../../receivers/errors.js';
import { described, flag, optionalText } from './fields.js';

// Relative names in a configuration file mean the folder of that file. zod passes no context to a transform, and
// validation is synchronous, so the folder is set around it.
let baseDirectory: string | undefined;

/** Runs a synchronous validation during which relative file names start at a folder. Default: the working directory. */
export function withBaseDirectory<Result>(directory: string | undefined, run: () => Result): Result {
  const before = baseDirectory;
  baseDirectory = directory;
  try {
    return run();
  } finally {
    baseDirectory = before;
  }
}

/** Reads a file that an option names; a relative name starts at the folder of the configuration file. */
export function readConfigFile(name: string): string {
  return readFileSync(resolve(baseDirectory ?? '', name), 'utf8');
}

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

/** What `node:tls` takes for a server, with `key`, `cert` and `ca` as PEM text or as names of files. */
export const serverTls: z.ZodType<TlsOptions, TlsOptions> = z
  .looseObject({}, { error: 'expected the TLS options of node:tls, such as { key, cert }' })
  .transform((value, context): TlsOptions => {
    const tls: Record<string, unknown> = { ...value };
    for (const name of ['key', 'cert', 'ca']) {
      if (tls[name] !== undefined) tls[name] = readPems(tls[name], [name], context);
    }
    if (context.issues.length === 0) checkServerTls(tls, context);
    return tls as TlsOptions;
  }) as unknown as z.ZodType<TlsOptions, TlsOptions>;

function checkServerTls(tls: Record<string, unknown>, context: z.RefinementCtx): void {
  const complete = (tls.key !== undefined && tls.cert !== undefined) || tls.pfx !== undefined;
  if (!complete && tls.SNICallback === undefined && tls.secureContext === undefined) {
    context.addIssue({ code: 'custom', message: 'expected `key` and `cert`, or `pfx`', input: tls });
    return;
  }
  try {
    createSecureContext(tls as TlsOptions);
  } catch (error) {
    const message = `expected a key and a certificate that belong together (${describeError(error)})`;
    context.addIssue({ code: 'custom', message, input: tls });
  }
}

const caError = 'expected PEM text, the name of a file, or a list of those';
const ca = z
  .union([z.string({ error: caError }).min(1, { error: caError }), z.array(z.string({ error: caError }))], {
    error: caError,
  })
  .transform((value, context) => readPems(value, [], context) as string | string[])
  .optional();

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
    .prefault({}),
  'group',
  { description: 'TLS towards a `wss:` or `tls:` target.' },
);
