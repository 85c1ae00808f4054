/** Owns the options about tokens: those that others sign, and those that this server hands out. Refuses to check any. */
import { z } from 'zod';
import { describeError } from '../../receivers/errors.js';
import { ALGORITHMS, algorithmsOf, parseKey, parseKeySet, secretKey } from '../authentication/jwt-keys.js';
import { readConfigFile } from './base-directory.js';
import { count, described, duration, flag, optionalText } from './fields.js';

const KEY_ERROR = 'expected a public key as PEM or JWK, or the name of a file with one';
const SET_ERROR = 'expected a JSON Web Key Set, or the name of a file with one';
const URL_ERROR = 'expected https://…, or http:// to this machine';
const SECRET_ERROR = 'expected a shared secret of at least 32 bytes';
const ONE_KEY = 'expected one of `secret`, `key`, `keySet` and `keySetUrl`, and no two of them';

/** Replaces the name of a file by what is in it. */
function material(error: string, isText: (text: string) => boolean, check: (text: string) => void) {
  return z
    .string({ error })
    .min(1, { error })
    .transform((value, context): string => {
      try {
        const text = isText(value) ? value : readConfigFile(value);
        check(text);
        return text;
      } catch (problem) {
        context.addIssue({ code: 'custom', message: `${error} (${describeError(problem)})`, input: value });
        return z.NEVER;
      }
    })
    .optional();
}

const isJson = (text: string): boolean => text.trimStart().startsWith('{');
const isKeyText = (text: string): boolean => text.includes('-----BEGIN') || isJson(text);

const keySetUrl = z
  .string({ error: URL_ERROR })
  .refine(
    (text) => {
      if (!URL.canParse(text)) return false;
      const { protocol, hostname } = new URL(text);
      return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
    },
    { error: URL_ERROR },
  )
  .optional();

function names(error: string) {
  return z.array(z.string({ error }).min(1, { error }), { error }).optional();
}

/** Tokens that others sign. */
export const jwt = described(
  z
    .strictObject({
      /** The secret that is shared with the issuer, at least 32 bytes. Better in the environment than in a file. */
      secret: described(
        z
          .string({ error: SECRET_ERROR })
          .refine((text) => succeeds(() => secretKey(text)), { error: SECRET_ERROR })
          .optional(),
        'text',
        {
          description:
            'The secret that is shared with the issuer, at least 32 bytes. Better in the environment than in a file.',
          placeholder: '<secret>',
        },
      ),
      /** The public key of the issuer: PEM, a certificate or a JWK, as text or as the name of a file. */
      key: described(
        material(KEY_ERROR, isKeyText, (text) => {
          if (algorithmsOf(parseKey(text)).length === 0) throw new Error('no algorithm of JWT takes this kind of key');
        }),
        'text',
        {
          description: 'The public key of the issuer: PEM, a certificate or a JWK, as text or as the name of a file.',
          placeholder: '<file>',
        },
      ),
      /** The public keys of the issuer: a JSON Web Key Set, as text or as the name of a file. */
      keySet: described(material(SET_ERROR, isJson, parseKeySet), 'text', {
        description: 'The public keys of the issuer: a JSON Web Key Set, as text or as the name of a file.',
        placeholder: '<file>',
      }),
      /** Where the issuer publishes its key set. It is fetched when a token needs it, and kept for ten minutes. */
      keySetUrl: described(keySetUrl, 'text', {
        description:
          'Where the issuer publishes its key set. It is fetched when a token needs it, and kept for ten minutes.',
        placeholder: '<url>',
      }),
      /** The signature algorithms that are taken, of those that the kind of key is good for. Left out: all of those. */
      algorithms: described(
        z
          .array(z.enum(ALGORITHMS as [string, ...string[]], { error: `expected a list of ${ALGORITHMS.join(', ')}` }))
          .min(1)
          .optional(),
        'list',
        {
          description:
            'The signature algorithms that are taken, of those that the kind of key is good for. Left out: all of those.',
          flag: 'authentication-jwt-algorithm',
          placeholder: '<name>',
        },
      ),
      /** The issuers (`iss`) that are taken. Left out: any, which is right only if the key is used for nothing else. */
      issuer: described(names('expected a list of issuers'), 'list', {
        description:
          'The issuers (`iss`) that are taken. Left out: any, which is right only if the key is used for nothing else.',
        placeholder: '<text>',
      }),
      /** The audiences (`aud`) of which a token must name one. Left out: any, which is right only if the key is used for nothing else. */
      audience: described(names('expected a list of audiences'), 'list', {
        description:
          'The audiences (`aud`) of which a token must name one. Left out: any, which is right only if the key is used for nothing else.',
        placeholder: '<text>',
      }),
      /** How far the clocks of issuer and server may be apart. */
      clockTolerance: duration({
        description: 'How far the clocks of issuer and server may be apart.',
        default: '30s',
      }),
      /** Claims that a token must have. */
      requiredClaims: described(
        z.array(z.string().min(1), { error: 'expected a list of names of claims' }).default(['exp']),
        'list',
        { description: 'Claims that a token must have.', flag: 'authentication-jwt-required-claim' },
      ),
      /** The claim that names the user. */
      nameClaim: described(z.string().min(1).default('sub'), 'text', { description: 'The claim that names the user.' }),
      /** The claim whose texts become the tags of the user, a list or words with spaces between them. */
      tagsClaim: optionalText({
        description: 'The claim whose texts become the tags of the user, a list or words with spaces between them.',
      }),
    })
    .superRefine((value, context) => {
      const given = [value.secret, value.key, value.keySet, value.keySetUrl].filter((one) => one !== undefined);
      if (given.length !== 1) context.addIssue({ code: 'custom', message: ONE_KEY, input: value });
    })
    .optional(),
  'group',
  { description: 'Tokens that others issue: JSON Web Tokens (RFC 7519).' },
);

const PATH_ERROR = "expected a path such as '/session'";

/** Tokens that this server hands out. */
export const sessions = described(
  z
    .strictObject({
      /** Where a token is asked for, with GET or POST and the credentials that are configured beside it. */
      path: described(
        z
          .string()
          .regex(/^\/[\w.~!$&'()*+,;=:@%/-]*$/, { error: PATH_ERROR })
          .default('/session'),
        'text',
        {
          description:
            'Where a token is asked for, with GET or POST and the credentials that are configured beside it.',
          placeholder: '<path>',
        },
      ),
      /** How long a token may be used to connect. */
      lifetime: duration({ description: 'How long a token may be used to connect.', default: '60s', min: 1000 }),
      /** Whether a token is good for one connection. One that is not ends its connections when it expires. */
      singleUse: flag({
        description:
          'Whether a token is good for one connection. One that is not ends its connections when it expires.',
        default: true,
      }),
      /** How many tokens may be out at a time; then asking for one gets 503. */
      max: count({
        description: 'How many tokens may be out at a time; then asking for one gets 503.',
        default: 10_000,
        min: 1,
      }),
    })
    .optional(),
  'group',
  {
    description:
      'Tokens that this server issues over HTTP, for clients that cannot send credentials with a WebSocket handshake.',
  },
);

/** Tokens that others sign, after validation. */
export type JwtConfig = NonNullable<z.output<typeof jwt>>;

/** Tokens that this server hands out, after validation. */
export type SessionsConfig = NonNullable<z.output<typeof sessions>>;

function succeeds(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}
