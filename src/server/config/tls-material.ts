/** Owns the TLS settings towards a target, PEM given as text or as a file, and what relative names of files mean. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
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

/** What the name of a file means where it stands. */
export function fromBaseDirectory(file: string): string {
  return resolve(baseDirectory ?? '', file);
}

/** Replaces the name of a file by what is in it; PEM text stays as it is. */
function readPem(value: string, path: PropertyKey[], context: z.RefinementCtx): string {
  if (value.includes('-----BEGIN')) return value;
  try {
    return readFileSync(fromBaseDirectory(value), 'utf8');
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
