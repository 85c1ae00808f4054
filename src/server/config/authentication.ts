/** Owns the options that say how clients show who they are. Refuses to check any credentials. */
import { z } from 'zod';
import { isCloseCode } from '../../receivers/close-code.js';
import { looksHashed, parseHash } from '../authentication/password-hash.js';
import { jwt, sessions } from './authentication-tokens.js';
import { choice, described, duration, flag } from './fields.js';

const PASSWORD_ERROR = 'expected a password, or a hash that `tidegate hash-password` made';
const USERS_ERROR = 'expected users by name, each with a password or an object with `password` and perhaps `tags`';
const TAGS_ERROR = 'expected a list of texts';

const password = z
  .string({ error: PASSWORD_ERROR })
  .min(1, { error: PASSWORD_ERROR })
  .refine((text) => !looksHashed(text) || parseHash(text) !== undefined, {
    error: 'expected `$scrypt$ln=…,r=…,p=…$salt$hash`, as `tidegate hash-password` makes it',
  });

const user = z.union(
  [
    password,
    z.strictObject({
      password,
      tags: z.array(z.string({ error: TAGS_ERROR }), { error: TAGS_ERROR }).optional(),
    }),
  ],
  { error: USERS_ERROR },
);

const NAME_ERROR = 'expected names without a colon and without control characters';
const USER_NAME = /^[^:\p{Cc}]+$/u;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const MARKER_ERROR = "expected a subprotocol such as 'bearer': letters, digits and !#$%&'*+-.^_`|~";
const COOKIE_ERROR = "expected the name of a cookie: letters, digits and !#$%&'*+-.^_`|~";
const CODE_ERROR = 'expected a close code that may be sent: 1000-1003, 1007-1014 or 3000-4999';

function token(error: string) {
  return z.string({ error }).regex(TOKEN, { error }).optional();
}

const META = { description: 'How clients show who they are.' };

/** How clients show who they are. */
export const authentication = described(
  z
    .strictObject({
      /** Users by name, for Basic and for credentials in the URL: a password, a hash of one, or an object with `password` and `tags`. */
      users: described(
        z.record(z.string().regex(USER_NAME, { error: NAME_ERROR }), user, { error: USERS_ERROR }).optional(),
        'text',
        {
          description:
            'Users by name, for Basic and for credentials in the URL: a password, a hash of one, or an object with `password` and `tags`.',
          flag: false,
        },
      ),
      /** What the server is called in the question for a password. */
      realm: described(
        z
          .string({ error: 'expected text' })
          .regex(/^[\x20-\x7e]*$/, { error: 'expected visible ASCII characters and spaces' })
          .default('tidegate'),
        'text',
        { description: 'What the server is called in the question for a password.' },
      ),
      /** Whether clients without credentials are let in, without a principal. Wrong credentials are refused all the same. */
      allowAnonymous: flag({
        description:
          'Whether clients without credentials are let in, without a principal. Wrong credentials are refused all the same.',
        default: false,
      }),
      /** Where a user name and a password may stand in the URL: nowhere, in the query, or as the first two segments of the path. */
      url: choice(['off', 'query', 'path'], {
        description:
          'Where a user name and a password may stand in the URL: nowhere, in the query, or as the first two segments of the path.',
      }),
      /** The query parameter of the user name, with `url: query`. */
      userParameter: described(z.string().min(1).default('user'), 'text', {
        description: 'The query parameter of the user name, with `url: query`.',
      }),
      /** The query parameter of the password, with `url: query`. */
      passwordParameter: described(z.string().min(1).default('password'), 'text', {
        description: 'The query parameter of the password, with `url: query`.',
      }),
      /** Query parameters in which a token may come, such as `access_token`. Left out: none, because URLs end up in histories and in the logs of others. */
      tokenParameters: described(
        z.array(z.string().min(1), { error: 'expected a list of names of query parameters' }).optional(),
        'list',
        {
          description:
            'Query parameters in which a token may come, such as `access_token`. Left out: none, because URLs end up in histories and in the logs of others.',
          flag: 'authentication-token-parameter',
          placeholder: '<name>',
        },
      ),
      /** The marker of a token in a subprotocol, such as `bearer`: the client offers `bearer`, then the token, then its own subprotocols; or `bearer.` and the token in one. */
      subprotocol: described(token(MARKER_ERROR), 'text', {
        description:
          'The marker of a token in a subprotocol, such as `bearer`: the client offers `bearer`, then the token, then its own subprotocols; or `bearer.` and the token in one.',
        placeholder: '<name>',
      }),
      /** The cookie in which a token may come. */
      cookie: described(token(COOKIE_ERROR), 'text', {
        description: 'The cookie in which a token may come.',
        placeholder: '<name>',
      }),
      /** Whether a client without credentials gets its 101 first, and has to send a token as its first text message. Nothing is dialled before. */
      firstMessage: flag({
        description:
          'Whether a client without credentials gets its 101 first, and has to send a token as its first text message. Nothing is dialled before.',
        default: false,
      }),
      /** How long the first message may take, and whoever checks credentials. */
      timeout: duration({
        description: 'How long the first message may take, and whoever checks credentials.',
        default: '10s',
        min: 1,
      }),
      /** Whether a verified client certificate says who the client is: by its common name, or by its first alternative name. */
      certificate: choice(['off', 'common-name', 'alternative-name'], {
        description:
          'Whether a verified client certificate says who the client is: by its common name, or by its first alternative name.',
        flag: 'authentication-certificate',
      }),
      /** Tokens that others issue: JSON Web Tokens (RFC 7519). */
      jwt,
      /** Tokens that this server issues over HTTP, for clients that cannot send credentials with a WebSocket handshake. */
      sessions,
      /** The close code for a client that fails to say who it is after the 101, and for credentials that expire. */
      rejectCode: described(
        z.int({ error: CODE_ERROR }).refine(isCloseCode, { error: CODE_ERROR }).default(1008),
        'count',
        {
          description:
            'The close code for a client that fails to say who it is after the 101, and for credentials that expire.',
        },
      ),
      /** How long before its credentials expire a connection is announced with the event `expiring`. 0 = not at all. */
      expiryWarning: duration({
        description:
          'How long before its credentials expire a connection is announced with the event `expiring`. 0 = not at all.',
        default: '60s',
      }),
      /** Whether the `Authorization` that was checked here goes on to the target. */
      forwardAuthorization: flag({
        description: 'Whether the `Authorization` that was checked here goes on to the target.',
        default: false,
      }),
    })
    .superRefine((value, context) => {
      if (value.firstMessage && value.allowAnonymous) {
        const message =
          'expected one of firstMessage and allowAnonymous: a client without credentials is waited for, or let in';
        context.addIssue({ code: 'custom', message, path: ['firstMessage'], input: true });
      }
      if (value.sessions !== undefined && sourcesOf(value) === 0) {
        const message = 'expected a place to show its tokens: tokenParameters, subprotocol, cookie or firstMessage';
        context.addIssue({ code: 'custom', message, path: ['sessions'], input: value.sessions });
      }
    })
    .optional(),
  'group',
  META,
);

/** What is missing where nobody could get in. */
export const NOBODY = 'nobody can get in; expected `users`, `jwt`, `certificate` or `allowAnonymous`';

/** Whether the options alone can let somebody in. */
export function authenticates({ users, jwt, certificate, allowAnonymous }: AuthenticationConfig): boolean {
  return users !== undefined || jwt !== undefined || certificate !== 'off' || allowAnonymous;
}

/** The same where there are no hooks: on the command line and in a file. */
export const authenticationWithoutHooks = described(
  authentication.superRefine((value, context) => {
    if (value === undefined || authenticates(value)) return;
    context.addIssue({ code: 'custom', message: NOBODY, input: value });
  }),
  'group',
  META,
);

interface Sources {
  readonly tokenParameters?: readonly string[] | undefined;
  readonly subprotocol?: string | undefined;
  readonly cookie?: string | undefined;
  readonly firstMessage: boolean;
}

// A header alone would do for programs, but those need no session.
function sourcesOf({ tokenParameters = [], subprotocol, cookie, firstMessage }: Sources): number {
  return tokenParameters.length + [subprotocol, cookie].filter(Boolean).length + (firstMessage ? 1 : 0);
}

/** How clients show who they are, after validation. */
export type AuthenticationConfig = NonNullable<z.output<typeof authentication>>;
