/** Owns every way a client can show who it is, as handshakes: right and wrong in each way there is. Refuses to judge the answers. */
import type { ProxyServerOptions } from '../../../src/index.js';
import type { RawClientOptions } from '../../support/raw-client.js';
import { inSeconds, SECRET, sign } from '../../support/tokens.js';

/** One way to show credentials. */
export interface Way {
  readonly name: string;
  readonly options: Pick<ProxyServerOptions, 'authentication' | 'onAuthentication' | 'onUnknownAuthentication'>;
  readonly right: RawClientOptions;
  /** Refused with 401 each, by what is wrong with them and the error they are told as. */
  readonly wrong: Readonly<Record<string, { readonly error: string; readonly show: RawClientOptions }>>;
  /** How the principal came. */
  readonly scheme: string;
  /** What nothing but the request itself may ever hold. */
  readonly secrets: readonly string[];
}

export const PASSWORD = 'pass-w0rd-of-ada';
export const GUESS = 'gu3ss-of-eve';

const JWT = { jwt: { secret: SECRET } };

function header(value: string): RawClientOptions {
  return { headers: { Authorization: value } };
}

export function basic(user: string, password: string): RawClientOptions {
  return header(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
}

const INVALID = 'INVALID_CREDENTIALS';
const EXPIRED = 'CREDENTIALS_EXPIRED';

/** The ways a token can come, each as what a client sends. */
const CARRIERS: Readonly<
  Record<string, { options: NonNullable<ProxyServerOptions['authentication']>; carry(token: string): RawClientOptions }>
> = {
  'a token in Authorization': { options: {}, carry: (token) => header(`Bearer ${token}`) },
  'a token in a subprotocol': {
    options: { subprotocol: 'bearer' },
    carry: (token) => ({ subprotocols: ['bearer', token, 'chat'] }),
  },
  'a token joined to a subprotocol': {
    options: { subprotocol: 'bearer' },
    carry: (token) => ({ subprotocols: [`bearer.${token}`, 'chat'] }),
  },
  'a token in the query': {
    options: { tokenParameters: ['access_token'] },
    carry: (token) => ({ path: `/?access_token=${token}` }),
  },
  'a token in a cookie': {
    options: { cookie: 'session' },
    carry: (token) => ({ headers: { Cookie: `theme=dark; session=${token}` } }),
  },
};

async function tokenWays(): Promise<Way[]> {
  const right = await sign();
  const forged = await sign('another-secret-that-nobody-has-shared');
  const expired = await sign(SECRET, { exp: inSeconds(-60) });
  return Object.entries(CARRIERS).map(([name, { options, carry }]) => ({
    name,
    options: { authentication: { ...options, ...JWT } },
    right: carry(right),
    wrong: {
      wrong: { error: INVALID, show: carry(forged) },
      malformed: { error: INVALID, show: carry('n0t-a-token') },
      expired: { error: EXPIRED, show: carry(expired) },
    },
    scheme: 'bearer',
    secrets: [...[right, forged, expired].flatMap((token) => token.split('.').slice(1)), 'n0t-a-token'],
  }));
}

function passwordWays(): Way[] {
  const users = { ada: PASSWORD, bob: GUESS.toUpperCase() };
  const encoded = Buffer.from(`ada:${PASSWORD}`).toString('base64');
  const secrets = [PASSWORD, GUESS, encoded, Buffer.from(`ada:${GUESS}`).toString('base64')];
  return [
    {
      name: 'Basic',
      options: { authentication: { users } },
      right: basic('ada', PASSWORD),
      wrong: {
        wrong: { error: INVALID, show: basic('ada', GUESS) },
        'of another user': { error: INVALID, show: basic('bob', PASSWORD) },
        'of an unknown user': { error: INVALID, show: basic('eve', PASSWORD) },
        malformed: { error: INVALID, show: header(`Basic ${GUESS}`) },
      },
      scheme: 'basic',
      secrets,
    },
    {
      name: 'a password in the query',
      options: { authentication: { users, url: 'query' } },
      right: { path: `/?user=ada&password=${PASSWORD}` },
      wrong: {
        wrong: { error: INVALID, show: { path: `/?user=ada&password=${GUESS}` } },
        'of an unknown user': { error: INVALID, show: { path: `/?user=eve&password=${PASSWORD}` } },
        malformed: { error: INVALID, show: { path: `/?password=${GUESS}` } },
      },
      scheme: 'url',
      secrets,
    },
    {
      name: 'a password in the path',
      options: { authentication: { users, url: 'path' } },
      right: { path: `/ada/${PASSWORD}/` },
      wrong: {
        wrong: { error: INVALID, show: { path: `/ada/${GUESS}` } },
        'of an unknown user': { error: INVALID, show: { path: `/eve/${PASSWORD}/` } },
      },
      scheme: 'url',
      secrets,
    },
    {
      name: 'onAuthentication',
      options: {
        authentication: {},
        onAuthentication: async ({ user, password }) => user === 'ada' && password === PASSWORD,
      },
      right: basic('ada', PASSWORD),
      wrong: {
        wrong: { error: INVALID, show: basic('ada', GUESS) },
        malformed: { error: INVALID, show: header(`Basic ${GUESS}`) },
      },
      scheme: 'basic',
      secrets,
    },
    {
      name: 'onUnknownAuthentication',
      options: {
        authentication: {},
        onUnknownAuthentication: async (scheme, data) =>
          scheme === 'Custom' && data === PASSWORD && { name: 'ada', scheme: 'custom' },
      },
      right: header(`Custom ${PASSWORD}`),
      wrong: {
        wrong: { error: INVALID, show: header(`Custom ${GUESS}`) },
        'of another scheme': { error: INVALID, show: header(`Bearer ${GUESS}`) },
      },
      scheme: 'custom',
      secrets,
    },
  ];
}

/** Every way. */
export async function everyWay(): Promise<Way[]> {
  return [...passwordWays(), ...(await tokenWays())];
}
